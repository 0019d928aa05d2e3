package rank

import (
	"slices"

	"github.com/cespare/xxhash/v2"

	"tipoff/state"
)

// Bounds of what is kept of who bet on what lately.
const (
	trailLength = 30
	visitsKept  = 100
)

// trail is the last posted events of one bettor, newest first.
type trail struct {
	ref    uint64             // hash of the bettor's id
	open   uint32             // a bit an event that had not begun when last looked at
	n      int32              // events
	events [trailLength]int32 // slots
	at     [trailLength]int32 // when each was bet on, seconds since [landmark]
}

func (t *trail) slots() []int32 { return t.events[:t.n] }

// trailBlock is how many trails are created together, so that a million of them are
// never copied.
const trailBlock = 1024

func (x *Index) trail(n int32) *trail { return &x.trails[n/trailBlock][n%trailBlock] }

func (x *Index) newTrail(id string) (n int32) {
	if last := len(x.gone) - 1; last >= 0 {
		n, x.gone = x.gone[last], x.gone[:last]
	} else {
		if n = x.trailCount; n%trailBlock == 0 {
			x.trails = append(x.trails, make([]trail, trailBlock))
		}
		x.trailCount++
	}
	*x.trail(n) = trail{ref: xxhash.Sum64String(id)}
	return n
}

func (x *Index) removeTrail(n int32) { x.gone = append(x.gone, n) }

// visit is a bettor's bet on an event.
type visit struct {
	at   int32    // seconds since [landmark]
	next [2]int32 // slots of the events that he bet on after it, as his trail has them; -1: none
}

// visits are the newest bets on an event, one a bettor, newest last. The bettors stand
// apart, as all questions ask for them.
type visits struct {
	bettors []int32 // trails
	bets    []visit
}

// after are the two events on a trail that were bet on after the one at i.
func after(events []int32, i int) [2]int32 {
	next := [2]int32{-1, -1}
	for k := range min(i, len(next)) {
		next[k] = events[i-1-k]
	}
	return next
}

// putTrail replaces the trail of a bettor, and updates the visits of the events on it. Most
// of it is as before, in the same order: nothing is looked up for what is.
func (x *Index) putTrail(n int32, fresh *state.Bettor) {
	t := x.trail(n)
	was := *t
	t.n, t.open = 0, 0
	kept := x.fillTrail(t, &was, fresh, n)
	for i, slot := range was.slots() {
		if kept&(1<<i) == 0 {
			e := &x.entries[slot]
			e.visits.remove(n)
			e.held--
			x.drop(slot)
		}
	}
}

// fillTrail writes a bettor's last events into his trail, which is empty, and returns a bit
// for each event that was there before.
func (x *Index) fillTrail(t, was *trail, b *state.Bettor, n int32) (kept uint32) {
	old := -1 // on the trail as it was
	for i := len(b.Bets) - 1; i >= 0; i-- {
		at := sinceLandmark(b.Bets[i].At)
		for j := len(b.Bets[i].Legs) - 1; j >= 0; j-- {
			leg := &b.Bets[i].Legs[j]
			if leg.Begin == 0 { // its event is not posted, and may never be
				continue
			}
			if t.n == trailLength {
				return kept
			}
			var slot int32
			slot, old = x.findOnTrail(was, leg.Event, old+1)
			if old >= 0 && kept&(1<<old) != 0 || old < 0 && slices.Contains(t.slots(), slot) {
				continue
			}
			if x.mayOpen(slot, leg.HasBegun()) {
				t.open |= 1 << t.n
			}
			t.events[t.n], t.at[t.n] = slot, at
			t.n++
			x.noteVisit(t, was, old, n)
			if old >= 0 {
				kept |= 1 << old
			}
		}
	}
	return kept
}

// findOnTrail returns the slot of an event, and its place on a trail, -1 where it is not there.
// It is looked for at the place next first.
func (x *Index) findOnTrail(t *trail, event uint64, next int) (slot int32, place int) {
	if next < int(t.n) && x.entries[t.events[next]].ref == event {
		return t.events[next], next
	}
	slot = x.slot(event)
	return slot, slices.Index(t.slots(), slot)
}

// noteVisit notes the bet on the last event of a trail, bettor n's, where it differs from what
// the trail was before at the place old, -1: the event was not on it.
func (x *Index) noteVisit(t, was *trail, old int, n int32) {
	i := int(t.n) - 1
	slot, at, next := t.events[i], t.at[i], after(t.slots(), i)
	e := &x.entries[slot]
	switch {
	case old < 0:
		e.held++
		x.addVisit(&e.visits, n, visit{at, next})
	case was.at[old] != at:
		e.visits.remove(n)
		x.addVisit(&e.visits, n, visit{at, next})
	case after(was.slots(), old) != next:
		e.visits.setNext(n, next)
	}
}

// mayOpen says whether an event on a trail has not begun, as far as is known.
func (x *Index) mayOpen(slot int32, hasBegun bool) bool {
	e := &x.entries[slot]
	if e.event == nil {
		return !hasBegun
	}
	return e.begin > x.clock
}

// sweepTrails notes of so many trails which of their events have begun, or have not after
// all.
func (x *Index) sweepTrails(trails int32) {
	for range min(trails, x.trailCount) {
		x.swept = (x.swept + 1) % x.trailCount
		t := x.trail(x.swept)
		for i, slot := range t.slots() {
			if x.entries[slot].event == nil {
				continue
			}
			if t.open &^= 1 << i; x.mayOpen(slot, false) {
				t.open |= 1 << i
			}
		}
	}
}

// addVisit keeps the newest visits, one a bettor, newest last. There is none of this bettor.
func (x *Index) addVisit(v *visits, bettor int32, fresh visit) {
	i, at := len(v.bettors), fresh.at
	for i > 0 && (v.bets[i-1].at > at || v.bets[i-1].at == at && x.trail(v.bettors[i-1]).ref > x.trail(bettor).ref) {
		i--
	}
	switch {
	case len(v.bettors) < visitsKept:
		v.bettors, v.bets = slices.Insert(v.bettors, i, bettor), slices.Insert(v.bets, i, fresh)
	case i > 0: // the oldest leaves
		copy(v.bettors, v.bettors[1:i])
		copy(v.bets, v.bets[1:i])
		v.bettors[i-1], v.bets[i-1] = bettor, fresh
	}
}

// remove forgets a bettor's visit.
func (v *visits) remove(bettor int32) {
	if i := slices.Index(v.bettors, bettor); i >= 0 {
		v.bettors, v.bets = slices.Delete(v.bettors, i, i+1), slices.Delete(v.bets, i, i+1)
	}
}

// setNext notes in a bettor's visit, if it is kept, what he bet on afterwards.
func (v *visits) setNext(bettor int32, next [2]int32) {
	if i := slices.Index(v.bettors, bettor); i >= 0 {
		v.bets[i].next = next
	}
}
