package generator

import (
	"bytes"
	"context"
	"testing"
	"time"
)

// FuzzLog holds that a log, however broken, is read or refused, and that what is
// read of it can be posted.
func FuzzLog(f *testing.F) {
	for _, seed := range []string{
		`{"kind":"user","at":"2020-01-01T00:00:00Z","body":{"user_id":"u1","birth_year":1990,"country":"USA","currency":"USD","gender":"male","registration_date":"2023-05-17"}}` + "\n",
		`{"kind":"coupon","at":"2020-01-01T00:00:00Z","body":{"coupon_id":"c1","user_id":"u1","stake":1,"timestamp":"9997-01-01","selections":[{"event_id":"e","odds":2}]}}`,
		`{"kind":"event","at":"2020-01-01T00:00:00+02:00","body":{"event_id":"e","begin_timestamp":"0001-01-01","end_timestamp":"9999-12-31","country":"c","league":"l","sport":"s","participants":[]}}`,
		"\n\n{}", `{"kind":"x","body":null}`, "[", "",
	} {
		f.Add([]byte(seed), int64(time.Hour))
	}
	f.Fuzz(func(t *testing.T, log []byte, shift int64) {
		r := &replay{ctx: context.Background(), batch: maxPost, shift: time.Duration(shift)}
		_ = readLines(bytes.NewReader(log), "log", func(e Entry) error {
			r.users, r.events, r.coupons = nil, nil, nil
			if err := r.add(e); err != nil {
				return err
			}
			if n := len(r.users) + len(r.events) + len(r.coupons); n != 1 {
				t.Errorf("%+v made %d items", e, n)
			}
			return nil
		})
	})
}
