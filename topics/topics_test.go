package topics

import (
	"testing"

	"pgregory.net/rapid"
)

func TestKey_ComesApartAsItWasMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		company := rapid.StringMatching(`[a-z0-9-]{1,20}`).Draw(t, "company")
		id := rapid.StringN(1, 50, -1).Draw(t, "id")
		gotCompany, gotID, ok := SplitKey(Key(company, id))
		if !ok || gotCompany != company || gotID != id {
			t.Fatalf("SplitKey(Key(%q, %q)) = %q, %q, %v", company, id, gotCompany, gotID, ok)
		}
	})
	for _, key := range []string{"", "x", "/", "/x", "x/"} {
		if _, _, ok := SplitKey(key); ok {
			t.Errorf("SplitKey(%q) took it", key)
		}
	}
}

func TestKeyHash_PutsPartsWhereTheirKeyIs(t *testing.T) {
	hash := func(key string) uint32 {
		h := NewKeyHash()
		_, _ = h.Write([]byte(key))
		return h.Sum32()
	}
	whole := Key("default", "event #1/2")
	if hash(whole) != hash(PartKey(whole, "17")) {
		t.Error("a part has another hash than its key")
	}
	if hash(whole) == hash(Key("default", "event #1/3")) {
		t.Error("two keys have one hash")
	}
	if got, part, ok := SplitPartKey(PartKey(whole, "17")); !ok || got != whole || part != "17" {
		t.Errorf("SplitPartKey = %q, %q, %v", got, part, ok)
	}
	if _, _, ok := SplitPartKey(whole); ok {
		t.Error("a plain key was taken for a part")
	}
}
