package fields

import (
	"errors"
	"strings"
	"time"
)

var (
	errTimeForm  = errors.New("must be a date (2023-05-17) or a date-time (2023-05-17T20:00:00Z)")
	errTimeRange = errors.New("must lie in the years 1 to 9999")
)

// ParseTime reads the forms of time that clients post: a date (midnight UTC),
// RFC 3339, the same without a zone (UTC), and the SQL form with a space and a
// zone of hours alone, "2023-05-17 20:00:00+00". The time is returned in UTC and cut to
// microseconds, as every store of ours can keep it.
func ParseTime(s string) (time.Time, error) {
	t, err := parseTime(s)
	if err != nil {
		return time.Time{}, errTimeForm
	}
	t = t.UTC().Truncate(time.Microsecond)
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errTimeRange
	}
	return t, nil
}

func parseTime(s string) (time.Time, error) {
	if len(s) <= len(time.DateOnly) {
		return time.Parse(time.DateOnly, s)
	}
	if len(s) > len("2006-01-02T15:04:05.123456789+00:00") {
		return time.Time{}, errTimeForm
	}
	if c := s[10]; c == ' ' || c == 't' {
		s = s[:10] + "T" + s[11:]
	}
	zone := strings.LastIndexAny(s, "Zz+-")
	if zone <= 10 { // the date's own dashes: no zone
		return time.Parse("2006-01-02T15:04:05", s)
	}
	switch len(s) - zone {
	case len("Z"):
		return time.Parse(time.RFC3339Nano, s[:zone]+"Z")
	case len("+00"):
		return time.Parse(time.RFC3339Nano, s+":00")
	case len("+0000"):
		return time.Parse(time.RFC3339Nano, s[:zone+3]+":"+s[zone+3:])
	}
	return time.Parse(time.RFC3339Nano, s)
}
