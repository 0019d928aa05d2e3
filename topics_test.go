package tipoff

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

func TestEventRef_FitsIntoADoublesWholeNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if ref := EventRef(rapid.String().Draw(t, "id")); ref >= 1<<48 {
			t.Fatalf("ref = %d", ref)
		}
	})
}

func TestCursor_ComesApartAsItWasMade(t *testing.T) {
	e := Event{ID: "a b/c", Begin: now}
	c, err := ParseEventCursor(EventCursorAfter(&e))
	if err != nil || c.ID != e.ID || !c.Begin.Equal(e.Begin) {
		t.Errorf("cursor = %+v, %v", c, err)
	}
	if c.Before(&e) || !c.Before(&Event{ID: "a b/d", Begin: now}) || !c.Before(&Event{ID: "a", Begin: now.Add(1)}) {
		t.Error("the cursor is not between its event and the next")
	}
	for _, bad := range []string{"x", "!!!", "bm93", "MjAyNi0wMS0wMVQwMDowMDowMFo"} {
		if _, err := ParseEventCursor(bad); err == nil {
			t.Errorf("ParseEventCursor(%q) took it", bad)
		}
		if _, err := ParseCouponCursor(bad); err == nil {
			t.Errorf("ParseCouponCursor(%q) took it", bad)
		}
	}
}
