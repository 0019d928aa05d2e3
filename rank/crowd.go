package rank

import (
	"cmp"
	"slices"

	"github.com/cespare/xxhash/v2"

	"tipoff/state"
)

// Bounds of what is kept of who bet on what lately.
const (
	trailLength = 30
	visitsKept  = 100
)

// trail is the last events of one bettor, newest first.
type trail struct {
	ref    uint64 // hash of the bettor's id
	events []int32
	at     []int64 // when each was bet on, Unix seconds
}

// visit is a bettor's bet on an event.
type visit struct {
	ref    uint64
	at     int64    // Unix seconds
	bettor int32    // into trails
	next   [2]int32 // slots of the events that he bet on after it, as his trail has them; -1: none
}

// after are the two events on a trail that were bet on after the one at i.
func after(events []int32, i int) [2]int32 {
	next := [2]int32{-1, -1}
	for k := range min(i, len(next)) {
		next[k] = events[i-1-k]
	}
	return next
}

// compare orders by time, then by bettor.
func (v visit) compare(other visit) int {
	return cmp.Or(cmp.Compare(v.at, other.at), cmp.Compare(v.ref, other.ref))
}

// putTrail replaces the trail of a bettor, and updates the visits of the events on it.
func (x *Index) putTrail(old, fresh *state.Bettor) {
	b := cmp.Or(fresh, old)
	if b == nil {
		return
	}
	n, known := x.bettors[b.User.ID]
	if !known {
		if fresh == nil || len(fresh.Bets) == 0 {
			return
		}
		n = int32(len(x.trails))
		if last := len(x.gone) - 1; last >= 0 {
			n, x.gone = x.gone[last], x.gone[:last]
		} else {
			x.trails = append(x.trails, trail{})
		}
		x.bettors[b.User.ID] = n
		x.trails[n].ref = xxhash.Sum64String(b.User.ID)
	}
	t := &x.trails[n]
	was := *t
	t.events, t.at = nil, nil
	if fresh != nil {
		size := min(trailLength, len(was.events)+4)
		t.events, t.at = make([]int32, 0, size), make([]int64, 0, size)
		x.fillTrail(t, &was, fresh, n)
	}
	for i, slot := range t.events {
		next := after(t.events, i)
		if old := slices.Index(was.events, slot); old < 0 || after(was.events, old) != next || was.at[old] != t.at[i] {
			x.entries[slot].setNext(n, next)
		}
	}
	for _, slot := range was.events {
		if !slices.Contains(t.events, slot) {
			e := &x.entries[slot]
			e.visits = slices.DeleteFunc(e.visits, func(v visit) bool { return v.bettor == n })
			e.trails--
			x.drop(slot)
		}
	}
	if fresh == nil {
		delete(x.bettors, b.User.ID)
		x.gone = append(x.gone, n)
	}
}

func (x *Index) fillTrail(t, was *trail, b *state.Bettor, n int32) {
	for i := len(b.Bets) - 1; i >= 0; i-- {
		for j := len(b.Bets[i].Legs) - 1; j >= 0; j-- {
			if b.Bets[i].Legs[j].Begin == 0 { // its event is not posted, and may never be
				continue
			}
			if len(t.events) == trailLength {
				return
			}
			slot := x.slot(b.Bets[i].Legs[j].Event)
			if slices.Contains(t.events, slot) {
				continue
			}
			t.events, t.at = append(t.events, slot), append(t.at, b.Bets[i].At)
			old := slices.Index(was.events, slot)
			if old < 0 {
				x.entries[slot].trails++
			}
			if old < 0 || was.at[old] != b.Bets[i].At {
				x.entries[slot].addVisit(visit{ref: t.ref, at: b.Bets[i].At, bettor: n})
			}
		}
	}
}

// addVisit keeps the newest visits, one a bettor, newest last.
func (e *entry) addVisit(v visit) {
	if i := slices.IndexFunc(e.visits, func(o visit) bool { return o.bettor == v.bettor }); i >= 0 {
		if e.visits[i].at == v.at {
			return
		}
		e.visits = slices.Delete(e.visits, i, i+1)
	}
	i := len(e.visits)
	for i > 0 && e.visits[i-1].compare(v) > 0 {
		i--
	}
	if len(e.visits) < visitsKept {
		e.visits = slices.Insert(e.visits, i, v)
	} else if i > 0 {
		copy(e.visits, e.visits[1:i])
		e.visits[i-1] = v
	}
}

// setNext notes in a bettor's visit, if it is kept, what he bet on afterwards.
func (e *entry) setNext(bettor int32, next [2]int32) {
	for i := range e.visits {
		if e.visits[i].bettor == bettor {
			e.visits[i].next = next
			return
		}
	}
}
