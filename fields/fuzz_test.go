package fields

import (
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
