package tipoff

import (
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// TestEvent_EqualSeesEveryField: an answer must not show what a field was before.
func TestEvent_EqualSeesEveryField(t *testing.T) {
	made := func() Event {
		at := time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)
		return Event{"e", at, at, "c", "l", "s", []string{"a"}, "h", "w", StatusOpen, "r",
			[]Market{{"m", []Outcome{{"o", 2}}}}, jsontext.Value(`{}`), VersionOf(1)}
	}
	base := made()
	if other := made(); !base.Equal(&other) {
		t.Error("equal events differ")
	}
	for i := range reflect.TypeFor[Event]().NumField() {
		other := made()
		reflect.ValueOf(&other).Elem().Field(i).SetZero()
		if base.Equal(&other) {
			t.Errorf("a change of %s is not seen", reflect.TypeFor[Event]().Field(i).Name)
		}
	}
	for what, change := range map[string]func(*Event){
		"market":  func(e *Event) { e.Markets[0].Market = "n" },
		"outcome": func(e *Event) { e.Markets[0].Outcomes[0].Outcome = "p" },
		"odds":    func(e *Event) { e.Markets[0].Outcomes[0].Odds = 3 },
		"number":  func(e *Event) { e.Version.Number = 0 },
	} {
		other := made()
		if change(&other); base.Equal(&other) {
			t.Errorf("a change of %s is not seen", what)
		}
	}
}
