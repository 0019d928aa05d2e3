package tipoff

import (
	"reflect"
	"testing"
	"time"
)

// FuzzTimes: what is read as a time is in UTC, in bounds, and says the same when it
// is written and read again.
func FuzzTimes(f *testing.F) {
	for _, seed := range []string{
		"2023-05-17", "2023-05-17T20:00:00Z", "2023-05-17T20:00:00.123456789+02:00", "2020-01-01T01:05:01", "2023-05-17 20:00:00+00",
		"2023-05-17 20:00:00+0530", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2023-05-17t20:00:00z", "", "2023-02-30",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseTime(s)
		if err != nil {
			return
		}
		if at.Location() != time.UTC || at.Year() < 1 || at.Year() > 9999 || at.Nanosecond()%1000 != 0 {
			t.Errorf("%q is %v", s, at)
		}
		if again, err := ParseTime(at.Format(time.RFC3339Nano)); err != nil || !again.Equal(at) {
			t.Errorf("%q is %v, read back %v, %v", s, at, again, err)
		}
	})
}

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
		again, err := DecodeEventPatch(written(p), "e1", loose)
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
