package fields

import (
	"testing"
	"time"
)

func TestParseTime_TakesEveryFormOfTheContract(t *testing.T) {
	utc := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return at.UTC()
	}
	for posted, want := range map[string]string{
		"2023-05-17":                       "2023-05-17T00:00:00Z",
		"2023-05-17T20:00:00Z":             "2023-05-17T20:00:00Z",
		"2023-05-17t20:00:00z":             "2023-05-17T20:00:00Z",
		"2023-05-17T20:00:00+02:00":        "2023-05-17T18:00:00Z",
		"2023-05-17T20:00:00-0330":         "2023-05-17T23:30:00Z",
		"2020-01-01T01:05:01":              "2020-01-01T01:05:01Z",
		"2020-01-01 01:05:01":              "2020-01-01T01:05:01Z",
		"2020-01-01 01:05:01.25":           "2020-01-01T01:05:01.25Z",
		"2023-05-17 20:00:00+00":           "2023-05-17T20:00:00Z",
		"2023-05-17 20:00:00-05":           "2023-05-18T01:00:00Z",
		"2023-05-17T20:00:00.123456789Z":   "2023-05-17T20:00:00.123456Z",
		"0001-01-01T00:00:00Z":             "0001-01-01T00:00:00Z",
		"9999-12-31T23:59:59.999999+00:00": "9999-12-31T23:59:59.999999Z",
	} {
		got, err := ParseTime(posted)
		if err != nil || !got.Equal(utc(want)) || got.Location() != time.UTC {
			t.Errorf("ParseTime(%q) = %v, %v; want %s", posted, got, err, want)
		}
	}
}

func TestParseTime_RefusesTheRest(t *testing.T) {
	for _, posted := range []string{
		"", "now", "2023-5-17", "2023-02-30", "17.05.2023", "2023-05-17T", "2023-05-17T25:00:00Z", "2023-05-17T20:00",
		"2023-05-17T20:00:00 UTC", "2023-05-17T20:00:00+2", "20230517", "1684353600", "2023-05-17T20:00:00Z and more, much more",
		"0000-12-31T00:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-01:00",
	} {
		if got, err := ParseTime(posted); err == nil {
			t.Errorf("ParseTime(%q) = %v, want an error", posted, got)
		}
	}
}
