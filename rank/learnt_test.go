package rank

import (
	"strings"
	"testing"

	"tipoff/state"
	"tipoff/wire/wiretest"
)

// learntOfNow is a value in which every field is set.
func learntOfNow() *Learnt {
	l := NewLearnt()
	l.Epoch, l.Model.Steps, l.Model.Quality[rankerNet] = 4, 9, Quality{Sum: 1, Weight: 2}
	l.Advance(state.Cause{Partition: 1, Position: at(5)})
	l.Live.Add(Grade{Targets: 1, HR: 1, NDCG: 0.5}, noon.Unix())
	return l
}

func TestLearnt_OfANewerVersionIsRefusedAndSaysWhatToDo(t *testing.T) {
	value := learntOfNow().Marshal()
	if err := state.CheckVersion(value); err != nil {
		t.Error(err)
	}
	value[0] = 200
	if err := state.CheckVersion(value); err == nil || !strings.Contains(err.Error(), "version 200") || !strings.Contains(err.Error(), "tipoff rebuild") {
		t.Errorf("err = %v", err)
	}
}

// FuzzLearnt requires of a value of the learner's table what FuzzTables of package
// state requires of the others.
func FuzzLearnt(f *testing.F) {
	f.Add(learntOfNow().Marshal())
	f.Add([]byte{})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, value []byte) {
		wiretest.Stable(t, value, UnmarshalLearnt, (*Learnt).Marshal)
		if state.CheckVersion(value) == nil {
			return
		}
		if _, err := UnmarshalLearnt(value); err == nil {
			t.Error("what was learnt in an unknown version was read")
		}
	})
}
