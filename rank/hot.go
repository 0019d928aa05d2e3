package rank

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tipoff/state"
)

// hotList are the open events most bet on by one half-life, hottest first. Their
// order changes with bets only, as all fade alike. Whatever came before, the list
// holds the hottest of all: as many as it has, or all that were bet on.
type hotList struct {
	events []hotEvent
	cut    bool // others are open that are not hotter than the last one
}

type hotEvent struct {
	slot int32
	heat float64 // logarithm of the bets, as of [landmark]
}

const (
	hotLists = 4
	hotMost  = 100 // events of a list
	hotLeast = 50  // below it, a list that was cut is filled again; retrieval looks no deeper
)

// hotBy is which half-life each hot list goes by.
var hotBy = [hotLists]int{1, 3, 4, 5}

// heats are the half-lives of an event's bets, from the shortest on.
const heats = state.PaceCount + 1

var heatHalfLives = [heats]time.Duration{state.PaceHalfLives[0], state.PaceHalfLives[1], state.PaceHalfLives[2], state.PopularityHalfLife, state.PaceHalfLives[3], state.PaceHalfLives[4]}

// heat is a [state.Decayed] number of bets as its binary logarithm: as of [landmark], so
// that a half-life takes 1 off it, and at its newest bet, which it does not exceed.
type heat struct {
	mark float64
	most float32
}

func heatOf(d state.Decayed, halfLife time.Duration) heat {
	if d.Sum <= 0 {
		return heat{math.Inf(-1), -200}
	}
	most := math.Log2(d.Sum)
	return heat{most + float64(d.At-landmark)/halfLife.Seconds(), float32(most)}
}

// updateHot moves an open event to where it belongs in the hot lists.
func (x *Index) updateHot(slot int32) {
	for k := range x.hot {
		x.hot[k].remove(slot)
		x.putHot(k, slot)
		x.refill(k)
	}
}

// removeHot takes an event that is not open any more out of the hot lists.
func (x *Index) removeHot(slot int32) {
	for k := range x.hot {
		x.hot[k].remove(slot)
		x.refill(k)
	}
}

func (l *hotList) remove(slot int32) {
	if i := slices.IndexFunc(l.events, func(o hotEvent) bool { return o.slot == slot }); i >= 0 {
		l.events = slices.Delete(l.events, i, i+1)
	}
}

// putHot puts an event where it belongs, if it is as hot as those of the list.
func (x *Index) putHot(k int, slot int32) {
	l, h := &x.hot[k], hotEvent{slot, x.entries[slot].heats[hotBy[k]].mark}
	if math.IsInf(h.heat, -1) {
		return
	}
	i, _ := slices.BinarySearchFunc(l.events, h, x.byHeat)
	if i == len(l.events) && (l.cut || i == hotMost) {
		l.cut = true
		return
	}
	l.events = slices.Insert(l.events, i, h)
	if len(l.events) > hotMost {
		l.events, l.cut = l.events[:hotMost], true
	}
}

// refill fills a list again from all open events where too little of it is left.
func (x *Index) refill(k int) {
	l := &x.hot[k]
	if !l.cut || len(l.events) >= hotLeast {
		return
	}
	l.events, l.cut = l.events[:0], false
	for _, slot := range x.open {
		x.putHot(k, slot)
	}
}

// byHeat orders a hot list, equals by event, so that the order is always the same.
func (x *Index) byHeat(a, b hotEvent) int {
	return cmp.Or(cmp.Compare(b.heat, a.heat), cmp.Compare(x.entries[a.slot].ref, x.entries[b.slot].ref))
}

// listOpen puts an open event into the lists of its league and teams, or takes it out.
func (x *Index) listOpen(slot int32, open bool) {
	e, one := &x.entries[slot], int32(1)
	if !open {
		one = -1
	}
	x.categories[e.sport].offered += one
	x.categories[e.league].offered += one
	x.keepSorted(&x.categories[e.league].open, slot, open)
	for _, team := range e.teams {
		x.categories[team].offered += one
		x.keepSorted(&x.categories[team].open, slot, open)
	}
}

// keepSorted adds a slot to a list, or removes it; lists are by beginning.
func (x *Index) keepSorted(events *[]int32, slot int32, open bool) {
	i, listed := slices.BinarySearchFunc(*events, slot, func(a, b int32) int {
		return cmp.Or(cmp.Compare(x.entries[a].begin, x.entries[b].begin), cmp.Compare(x.entries[a].ref, x.entries[b].ref))
	})
	switch {
	case open && !listed:
		*events = slices.Insert(*events, i, slot)
	case !open && listed:
		*events = slices.Delete(*events, i, i+1)
	}
}
