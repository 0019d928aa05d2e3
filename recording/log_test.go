package recording

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tipoff"
)

const (
	userLine   = `{"kind":"user","at":"2020-01-01T00:00:00Z","body":{"user_id":"u1","birth_year":1990,"country":"USA","currency":"USD","gender":"male","registration_date":"2019-05-17"}}`
	eventLine  = `{"kind":"event","at":"2020-01-01T00:00:00Z","body":{"event_id":"e1","begin_timestamp":"2020-01-03","end_timestamp":"2020-01-04","country":"c","league":"l","sport":"s","participants":["A"]}}`
	couponLine = `{"kind":"coupon","at":"2020-01-02T00:00:00Z","body":{"coupon_id":"c1","user_id":"u1","stake":1,"timestamp":"2020-01-02","selections":[{"event_id":"e1","odds":2}]}}`
)

// file writes a log of the lines, packed where the name says so.
func file(t *testing.T, name string, lines ...string) string {
	t.Helper()
	text := []byte(strings.Join(lines, "\n"))
	if strings.HasSuffix(name, ".gz") {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(text)
		_ = w.Close()
		text = packed.Bytes()
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad_PutsALogInTheOrderOfTime(t *testing.T) {
	for _, name := range []string{"shop.ndjson", "shop.ndjson.gz"} {
		log, err := Load(t.Context(), file(t, name, couponLine, "", userLine, eventLine))
		if err != nil {
			t.Fatal(err)
		}
		if log.Name != "shop" || log.Coupons != 1 || len(log.Facts) != 3 {
			t.Fatalf("%s: %+v", name, log)
		}
		if u, e, c := log.Facts[0].User, log.Facts[1].Event, log.Facts[2].Coupon; u == nil || e == nil || c == nil || u.ID != "u1" || e.ID != "e1" || c.ID != "c1" {
			t.Errorf("%s: %+v", name, log.Facts)
		}
	}
}

func TestRead_NamesTheLineThatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		userLine + "\n\n{oops": "line 3: ",
		strings.Replace(couponLine, `"stake":1`, `"stake":0`, 1):              "line 1: stake: must be a number above 0",
		strings.Replace(couponLine, `"kind":"coupon"`, `"kind":"x"`, 1):       `line 1: kind must be user, event or coupon, is "x"`,
		userLine + "\n" + strings.Replace(eventLine, `"at":"2`, `"at":"x`, 1): "line 2: ",
	} {
		path := file(t, "log.ndjson", text)
		if err := Read(path, func(tipoff.Fact) error { return nil }); err == nil || !strings.Contains(err.Error(), path+", "+want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	oops := errors.New("oops")
	if err := Read(file(t, "log.ndjson", userLine), func(tipoff.Fact) error { return oops }); !errors.Is(err, oops) {
		t.Errorf("%v, want what the visitor said", err)
	}
	if _, err := Load(t.Context(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a log that is not there: %v", err)
	}
	if _, err := Load(t.Context(), file(t, "plain.gz")); err != nil {
		t.Errorf("an empty packed log: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ctx, file(t, "log.ndjson", userLine)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestMeasure_CountsWithoutDecoding(t *testing.T) {
	faulty := strings.Replace(couponLine, `"stake":1`, `"stake":0`, 1)
	x, err := Measure(t.Context(), file(t, "log.ndjson", strings.ReplaceAll(faulty, "2020-01-02", "2020-01-05"), couponLine, userLine, eventLine))
	if err != nil || x.Facts != 4 || !x.LastCoupon.Equal(time.Date(2020, 1, 5, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", x, err)
	}
	if x, err := Measure(t.Context(), file(t, "log.ndjson", userLine)); err != nil || x.Facts != 1 || !x.LastCoupon.IsZero() {
		t.Errorf("without coupons: %+v, %v", x, err)
	}
}

func TestShift_MovesAllButTheRegistration(t *testing.T) {
	log, err := Load(t.Context(), file(t, "log.ndjson", userLine, eventLine, couponLine))
	if err != nil {
		t.Fatal(err)
	}
	day := func(d int) time.Time { return time.Date(2020, 1, d, 0, 0, 0, 0, time.UTC) }
	for i := range log.Facts {
		Shift(&log.Facts[i], 10*24*time.Hour+time.Nanosecond)
	}
	u, e, c := log.Facts[0], log.Facts[1], log.Facts[2]
	if !u.At.Equal(day(11)) || u.User.RegistrationDate.Year() != 2019 || !e.Event.Begin.Equal(day(13)) || !e.Event.End.Equal(day(14)) ||
		!c.At.Equal(day(12)) || !c.Coupon.Timestamp.Equal(day(12)) {
		t.Errorf("%+v, %+v of %+v, %+v of %+v", u.User, e, e.Event, c, c.Coupon)
	}
}

func TestWrite_RefusesWhatALogDoesNotHold(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, tipoff.Fact{Patch: &tipoff.EventPatch{ID: "e1"}}); err == nil || b.Len() > 0 {
		t.Errorf("a change of an event was written: %s", b.String())
	}
}
