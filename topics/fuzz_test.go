package topics

import (
	"strings"
	"testing"
)

// FuzzKeys: keys and their parts come apart as they were put together, and a part
// lives in the partition of the whole.
func FuzzKeys(f *testing.F) {
	for _, seed := range [][3]string{{"default", "u1", "0"}, {"a", "b/c", "chunk"}, {"", "x", ""}, {"c", "ü 東", "\x1f"}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, company, id, part string) {
		key := Key(company, id)
		gotCompany, gotID, ok := SplitKey(key)
		if valid := company != "" && !strings.Contains(company, "/") && id != ""; valid && (!ok || gotCompany != company || gotID != id) {
			t.Errorf("%q came apart as %q and %q, %v", key, gotCompany, gotID, ok)
		}
		if strings.Contains(key, "\x1f") {
			return
		}
		whole, gotPart, ok := SplitPartKey(PartKey(key, part))
		if !ok || whole != key || gotPart != part {
			t.Errorf("%q came apart as %q and %q, %v", PartKey(key, part), whole, gotPart, ok)
		}
		a, b := NewKeyHash(), NewKeyHash()
		_, _ = a.Write([]byte(key))
		_, _ = b.Write([]byte(PartKey(key, part)))
		if a.Sum32() != b.Sum32() {
			t.Errorf("%q does not live with %q", PartKey(key, part), key)
		}
		if got, want := PartitionOf([]byte(PartKey(key, part)), 1<<16), int(int32(a.Sum32()))%(1<<16); got != max(want, -want) {
			t.Errorf("%q is in partition %d, by its hash in %d", key, got, want)
		}
	})
}

// FuzzReceived: the time of receipt in a record's header.
func FuzzReceived(f *testing.F) {
	for _, seed := range []string{"1715947200000000", "-62135596800000000", "9223372036854775807", "", "1.5", "x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		at, err := ParseReceived(value)
		if err != nil {
			return
		}
		if at.Year() < 1970 || at.Year() > 9999 {
			t.Errorf("%q is %v", value, at)
		}
		if again, err := ParseReceived(FormatReceived(at)); err != nil || !again.Equal(at) {
			t.Errorf("%q is %v, read back %v, %v", value, at, again, err)
		}
	})
}
