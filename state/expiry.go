package state

import (
	"time"

	"tipoff/wire"
)

// An event that bets name and nobody posts would keep its legs for ever. So legs wait
// for some days after the last of them came; then they are dead letters, and the
// fixture goes in steps with a pause between them, so that a step which is delivered
// again still finds what it needs: a day where legs wait for a week.
const pausesOfWait = 7

// Step is how far a fixture has come on its way out.
type Step byte

// The steps, in their order.
const (
	StepNone   Step = iota // it waits for its event, or has it
	StepReject             // its legs are dead letters and count no more
	StepEmpty              // its chunks are deleted
	StepDelete             // the fixture is deleted; no value holds this
)

// Await notes that a new leg came to wait, by the broker's clock, Unix seconds: whatever
// has expired before, this one waits its full time.
func (f *Fixture) Await(at int64) {
	if f.Step == StepNone {
		at = max(at, f.Waited)
	}
	f.Step, f.Waited = StepNone, at
}

// Expire takes the next step if it is due at a moment, by the broker's clock, where legs
// wait for so many seconds, and returns the step that the fixture is at: what is to be done for it, also where it was
// done before, as the messages of a step may have to be sent again.
func (f *Fixture) Expire(now, wait int64) Step {
	switch {
	case f.Known:
		return StepNone
	case f.Waited == 0:
		if f.LegCount > 0 { // an older program, which did not say, wrote it: time runs from now on
			f.Waited = now
		}
		return StepNone
	case !due(f.Step, now-f.Waited, wait):
		return f.Step
	case f.Step == StepNone:
		f.expireLegs()
	case f.Step == StepEmpty && f.isChanged(): // the patch is a fact that stays
		f.Waited = 0
		return StepNone
	case f.Step == StepEmpty:
		return StepDelete
	}
	f.Step, f.Waited = f.Step+1, now
	return f.Step
}

// expireLegs forgets all that was counted but which legs that was, so that none of them
// counts again. New legs go to chunks of their own.
func (f *Fixture) expireLegs() {
	f.Gone = f.Chunks()
	f.Waiters = f.Gone * WaitersPerChunk
	f.LegCount, f.FirstBet, f.Popularity, f.Paces = 0, 0, Decayed{}, [PaceCount]Decayed{}
	f.Outcomes, f.Neighbours = nil, nil
}

func due(step Step, waited, wait int64) bool {
	if step != StepNone {
		wait = max(1, wait/pausesOfWait)
	}
	return waited >= wait
}

// DueFixture says whether a value of the fixtures' table, not a [Chunk], may have a step
// before it at a moment, where legs wait for so long. It reads no more than it must, as all values are asked.
func DueFixture(value []byte, now time.Time, wait time.Duration) bool {
	r := wire.NewReader(value)
	version := r.Byte()
	r.Uint()
	switch known := r.Flag(); {
	case known:
		return false
	case version < 3:
		return true
	}
	r.Byte()
	step, waited := Step(r.Byte()), r.Int()
	return waited != 0 && due(step, now.Unix()-waited, int64(wait/time.Second))
}

// IsUnposted says whether a value of the fixtures' table, not a [Chunk], is of a fixture
// that was bet on and not posted.
func IsUnposted(value []byte) bool {
	r := wire.NewReader(value)
	version := r.Byte()
	r.Uint()
	if r.Flag() {
		return false
	}
	r.Byte()
	r.Byte()
	return version < 3 || r.Int() != 0
}
