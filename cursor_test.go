package tipoff

import (
	"testing"

	"pgregory.net/rapid"
)

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
	if c.Precedes(&e) || !c.Precedes(&Event{ID: "a b/d", Begin: now}) || !c.Precedes(&Event{ID: "a", Begin: now.Add(1)}) {
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
