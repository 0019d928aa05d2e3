package tipoff

import (
	"reflect"
	"testing"
	"time"
)

// FuzzCursors: a cursor is what a page ended with, or a fault of the question.
func FuzzCursors(f *testing.F) {
	f.Add(EventCursorAfter(&Event{ID: "e1", Begin: now}))
	f.Add(CouponCursorAfter(&Coupon{ID: "c 1 ü", Timestamp: now.Add(time.Microsecond)}))
	for _, seed := range []string{"", "!", "MjAyMw", "MjAyMy0wNS0xN1QxMjowMDowMFog"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseEventCursor(s)
		if err != nil || s == "" {
			return
		}
		if c.ID == "" {
			t.Errorf("%q is a cursor without an id", s)
		}
		again, err := ParseEventCursor(EventCursorAfter(&Event{ID: c.ID, Begin: c.Begin}))
		if err != nil || again.ID != c.ID || !again.Begin.Equal(c.Begin) {
			t.Errorf("%q is %+v, read back %+v, %v", s, c, again, err)
		}
	})
}

// FuzzPatch: what is read as a patch is written as one, tells itself from an event,
// and does to an event what it did.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{"status":"finished"}`, `{"event_id":"e1","result":"1:0"}`, `{"patch":true,"markets":[]}`, `{"begin_timestamp":"2023-05-17"}`,
		`{"markets":[{"market":"1x2","outcomes":[{"outcome":"1","odds":1.5}]}]}`, `{}`, `{"status":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := DecodeEventPatch(body, "e1", loose)
		if err != nil {
			return
		}
		again, err := DecodeEventPatch(written(Fact{Patch: &p}), "e1", loose)
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("patch %+v read back is %+v, %v", p, again, err)
		}
		var a, b Event
		p.Apply(&a)
		var merged EventPatch
		merged.Merge(p)
		merged.Apply(&b)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("patch %+v makes %+v, merged %+v", p, a, b)
		}
	})
}
