package state

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tipoff"
)

const (
	day     = 24 * time.Hour
	week    = 7 * day
	seconds = int64(week / time.Second)
)

// unposted is a fixture that was never posted, with every field set.
func unposted() *Fixture {
	f := &Fixture{Epoch: 3}
	f.Change(tipoff.EventPatch{ID: "e", Status: tipoff.StatusSuspended}, at(4))
	f.Count(leg(1, 0, 0, 1, 2))
	f.Await(noon.Unix())
	f.Expire(noon.Add(week).Unix(), seconds)
	f.Count(leg(2, 0, 0, 1, 2, 3))
	later := leg(3, 0, 0, 5)
	later.At += 60
	f.Count(later)
	f.Await(noon.Add(week + time.Hour).Unix())
	return f
}

func TestUnposted_ComesBackAsItWas(t *testing.T) {
	once := new(Fixture)
	once.Count(leg(1, 0, 0, 1, 2))
	once.Await(noon.Unix())
	waits := new(Fixture)
	waits.Change(tipoff.EventPatch{ID: "e", Result: "1"}, at(9))
	for name, f := range map[string]*Fixture{"with everything": unposted(), "bet on once": once, "changed alone": waits, "nothing": {}} {
		again, err := UnmarshalFixture(f.Marshal())
		if diff := cmp.Diff(f, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

// TestUnposted_BetOnOnceIsSmall: whoever posts bets may name as many as he likes.
func TestUnposted_BetOnOnceIsSmall(t *testing.T) {
	f := &Fixture{Epoch: 5<<32 | 9}
	l := leg(1<<20, 49, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	l.Outcome = ""
	f.Count(l)
	f.Await(noon.Unix())
	if size := len(f.Marshal()); size > 112 {
		t.Errorf("%d bytes", size)
	}
}

func TestExpire_GoesInStepsThatCanBeRepeated(t *testing.T) {
	f, first := new(Fixture), leg(1, 0, 0, 1, 2)
	f.Count(first)
	f.Await(noon.Unix())
	for i, want := range []struct {
		after time.Duration
		step  Step
	}{
		{week - time.Second, StepNone}, {week, StepReject}, {week + time.Second, StepReject},
		{week + day, StepEmpty}, {week + day, StepEmpty}, {week + 2*day, StepDelete},
	} {
		now := noon.Add(want.after)
		mayBeDue := DueFixture(f.Marshal(), now, week)
		was := f.Step
		if step := f.Expire(now.Unix(), seconds); step != want.step || mayBeDue != (step != was) {
			t.Errorf("%d: step %d, want %d; may be due: %v", i, step, want.step, mayBeDue)
		}
	}
	if f.Count(first) || f.LegCount != 0 || len(f.Neighbours) != 0 {
		t.Errorf("a leg counts again: %+v", f)
	}
}

func TestExpire_LeavesWhatMustStay(t *testing.T) {
	far := noon.Add(100 * week)
	posted := new(Fixture)
	posted.Count(leg(1, 0, 0))
	posted.Await(noon.Unix())
	posted.Post(event("e", "l", noon), at(1))
	if DueFixture(posted.Marshal(), far, week) || posted.Expire(far.Unix(), seconds) != StepNone || posted.LegCount != 1 {
		t.Errorf("a posted event expires: %+v", posted)
	}
	changed := unposted()
	for range 5 {
		far = far.Add(week)
		if changed.Expire(far.Unix(), seconds) == StepDelete {
			t.Error("a change of an event is lost")
		}
	}
	if DueFixture(changed.Marshal(), far.Add(week), week) {
		t.Error("what stays is asked for ever")
	}
	older := new(Fixture) // of an older program, which did not say since when
	older.Count(leg(1, 0, 0))
	if older.Expire(far.Unix(), seconds) != StepNone || older.Expire(far.Add(week-time.Second).Unix(), seconds) != StepNone {
		t.Error("a leg did not wait its full time")
	}
	if older.Expire(far.Add(week).Unix(), seconds) != StepReject {
		t.Error("a leg of an older program waits for ever")
	}
}

func TestExpire_ANewLegWaitsItsFullTimeInAChunkOfItsOwn(t *testing.T) {
	f := new(Fixture)
	f.Count(leg(1, 0, 0))
	f.Await(noon.Unix())
	f.Expire(noon.Add(week).Unix(), seconds)
	second := leg(2, 0, 0)
	isNew := f.Count(second)
	f.Await(noon.Add(week + time.Minute).Unix())
	if chunk := f.Chunk(second, isNew); !isNew || chunk != 1 || f.Gone != 1 || f.LegCount != 1 {
		t.Errorf("chunk %d, fixture %+v", chunk, f)
	}
	if step := f.Expire(noon.Add(2*week).Unix(), seconds); step != StepNone {
		t.Errorf("step %d", step)
	}
}
