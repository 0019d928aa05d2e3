package recording

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"tipoff"
)

// FuzzLog checks that a log, however broken, is read or refused, that what is read of
// it reads the same when it is written, and that it can be moved in time.
func FuzzLog(f *testing.F) {
	for _, seed := range []string{
		userLine + "\n",
		`{"kind":"coupon","at":"2020-01-01T00:00:00Z","body":{"coupon_id":"c1","user_id":"u1","stake":1,"timestamp":"9997-01-01","selections":[{"event_id":"e","odds":2}]}}`,
		`{"kind":"event","at":"2020-01-01T00:00:00+02:00","body":{"event_id":"e","begin_timestamp":"0001-01-01","end_timestamp":"9999-12-31","country":"c","league":"l","sport":"s","participants":[]}}`,
		"\n\n{}", `{"kind":"x","body":null}`, "[", "",
	} {
		f.Add([]byte(seed), int64(time.Hour))
	}
	f.Fuzz(func(t *testing.T, log []byte, shift int64) {
		_ = readLines(bytes.NewReader(log), "log", decoded(func(fact tipoff.Fact) error {
			var written bytes.Buffer
			if err := Write(&written, fact); err != nil {
				t.Fatalf("%+v was read, but is not written: %v", fact, err)
			}
			facts := 0
			err := readLines(&written, "written", decoded(func(again tipoff.Fact) error {
				if !again.At.Equal(fact.At) {
					t.Errorf("came at %s, read back %s", fact.At, again.At)
				}
				again.At = fact.At
				if !reflect.DeepEqual(again, fact) {
					t.Errorf("%+v read back is %+v", fact, again)
				}
				facts++
				return nil
			}))
			if err != nil || facts != 1 {
				t.Errorf("%+v is written as %d facts, %v", fact, facts, err)
			}
			Shift(&fact, time.Duration(shift))
			return nil
		}))
	})
}
