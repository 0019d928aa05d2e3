package rank

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tipoff/state"
	"tipoff/wire/wiretest"
)

// learntOfNow is a value in which every field is set.
func learntOfNow() *Learnt {
	l := NewLearnt()
	l.Epoch, l.Model.Steps, l.Model.Quality[rankerNet] = 4, 9, Quality{Sum: 1, Weight: 2}
	l.Advance(state.Cause{Partition: 1, Position: at(5)})
	l.Live.Add(Grade{Targets: 1, HR: 1, NDCG: 0.5, PopularHR: 1, PopularNDCG: 0.4}, noon.Unix())
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

// TestLearnt_OfTheVersionBeforeIsRead, with all that it said: it had no grades of popularity.
func TestLearnt_OfTheVersionBeforeIsRead(t *testing.T) {
	value, err := os.ReadFile(filepath.Join("testdata", "values", "learnt-3"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := UnmarshalLearnt(value)
	if err != nil {
		t.Fatal(err)
	}
	if want := (LiveSpan{Coupons: 2, HR: 2, NDCG: 0.75}); l.Live.Over(time.Hour) != want || l.Epoch != 4 || len(l.Seen) != 1 || l.Model.Steps != 9 {
		t.Errorf("read %+v, epoch %d, seen %v, %d steps", l.Live.Over(time.Hour), l.Epoch, l.Seen, l.Model.Steps)
	}
	l.Live.Add(Grade{Targets: 1, NDCG: 0.5, PopularNDCG: 0.25}, noon.Unix()+600)
	again, err := UnmarshalLearnt(l.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	want := LiveSpan{Coupons: 3, HR: 2, NDCG: 1.25, Compared: 1, Squares: 0.25, PopularNDCG: 0.25}
	if got := again.Live.Over(time.Hour); got != want {
		t.Errorf("read %+v, want %+v", got, want)
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
