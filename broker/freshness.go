package broker

import (
	"fmt"
	"sync/atomic"
	"time"
)

// freshness knows how old the answers of a view are. While records keep coming a view
// is never at the end of its table, but it has passed where the end was a moment ago.
type freshness struct {
	asOf    atomic.Int64           // it had all that the table held then, in Unix nanoseconds; 0: never
	trouble atomic.Pointer[string] // why it ended, until it runs and is fresh again
	living  atomic.Bool

	aim map[int32]int64 // an end of the table that it has not reached yet
	at  time.Time       // when that was the end
}

// saw notes where the end of the table is now; behind says how many records before an
// end are not applied yet.
func (f *freshness) saw(ends map[int32]int64, now time.Time, behind func(map[int32]int64) int64) {
	if f.aim != nil && behind(f.aim) == 0 {
		f.reached(f.at)
	}
	if behind(ends) == 0 {
		f.reached(now)
	} else if f.aim == nil {
		f.aim, f.at = ends, now
	}
}

func (f *freshness) reached(at time.Time) {
	f.asOf.Store(at.UnixNano())
	f.aim = nil
	if f.living.Load() {
		f.trouble.Store(nil)
	}
}

// of adds to what a view does how fresh its answers are. One that had its whole table
// once serves on with what it has.
func (f *freshness) of(s State) State {
	s.Answers = true
	at := f.asOf.Load()
	if at == 0 {
		if trouble := f.trouble.Load(); trouble != nil {
			s.Failing, s.Detail = true, *trouble
		}
		return s
	}
	s.AsOf, s.Spared = time.Unix(0, at), true
	trouble, age := f.trouble.Load(), time.Since(s.AsOf)
	switch {
	case trouble != nil:
		s.Ready, s.Failing, s.Detail = false, true, *trouble
	case age > freshFor:
		s.Ready, s.Behind, s.Detail = false, true, fmt.Sprintf("does not see the end of its table for %s: %s", age.Round(time.Second), s.Detail)
	}
	return s
}
