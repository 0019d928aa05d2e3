package rank

import (
	"math/bits"
	"slices"

	"tipoff/state"
)

// found is what the bettor's past says of one event.
type found struct {
	generation             uint32
	source                 int32 // slot of the past event that says most, -1: bettors alone
	most                   float32
	cos, given, last, next float32 // of [termPairs] to [termPairsNext]
	near, after            float32 // of [termNear] and [termNext]
}

const (
	pairRead  = 0.6 // weight of each older event of the bettor
	pairFade  = 0.8 // the same, for [termPairsGiven]
	pairPrior = 5.0
	givePrior = 3.0

	nearHistory = 6  // events of the bettor by which others are near
	nearMost    = 50 // others that are asked
)

// find is what is found of an open event so far.
func (r *ranking) find(slot int32) *found {
	f := &r.found[slot]
	if f.generation != r.generation {
		*f = found{generation: r.generation, source: -1}
		r.touched = append(r.touched, slot)
	}
	return f
}

// preparePairs adds up, for each event, its similarity to the bettor's last ones.
func (r *ranking) preparePairs() {
	weight, given := float32(1), float32(1)
	for k, slot := range r.past[:min(len(r.past), state.HistoryForPairs)] {
		if from := &r.entries[slot]; from.event != nil { // of one that is forgotten nobody knows how often it was bet on
			if k == 0 {
				r.last = from
			}
			share, root := given/(float32(from.legCount)+givePrior), r.rootLegs[slot]
			for _, p := range from.ahead {
				if r.isOpen[p.slot] {
					r.addPair(slot, p, weight/(r.rootLegs[p.slot]*root+pairPrior), share, k == 0)
				}
			}
		}
		weight *= pairRead
		given *= pairFade
	}
}

func (r *ranking) addPair(from int32, p pair, cos, given float32, last bool) {
	f, both := r.find(p.slot), p.before+p.after
	cos *= both
	f.cos += cos
	f.given += given * both
	if last {
		f.last += cos
		f.next += given * p.after
	}
	if cos > f.most {
		f.most, f.source = cos, from
	}
}

// other is another bettor and how much of a bettor's past he shares.
type other struct {
	trail  int32
	weight int32 // in parts of [nearHistory]
}

// others are other bettors in the order in which they were found. A table of their places,
// by the trail's lowest bits, stays small however many bettors there are.
type others struct {
	all    []other
	places [otherPlaces]otherPlace
}

type otherPlace struct {
	generation uint32
	trail      int32
	in         int32 // all
}

const otherPlaces = 2048 // a power of two; more than 3 * nearHistory * visitsKept

// add adds weight to another bettor; to one who is not known yet only where newcomers are taken.
func (o *others) add(generation uint32, trail, weight int32, newcomers bool) {
	for at := uint32(trail) * 0x9e3779b1 >> 21; ; at = (at + 1) % otherPlaces {
		place := &o.places[at]
		if place.generation != generation {
			if newcomers {
				*place = otherPlace{generation, trail, int32(len(o.all))}
				o.all = append(o.all, other{trail, weight})
			}
			return
		}
		if place.trail == trail {
			o.all[place.in].weight += weight
			return
		}
	}
}

// prepareNear asks who else bet on the last events, and on what (VMIS-kNN:
// Kersbergen et al., Serenade, SIGMOD 2022).
func (r *ranking) prepareNear() {
	r.others.all = r.others.all[:0]
	last := r.past[:min(len(r.past), nearHistory)]
	var lists [nearHistory]visits
	for k, slot := range last { // apart from what follows, as in addNear
		lists[k] = r.entries[slot].visits
	}
	var known [nearHistory]int // others, after each list
	for k := range last {
		weight := int32(nearHistory - k)
		// One who is found only now reaches most. Where as many others as are asked have that
		// without what follows, he would stand behind them.
		most := int(weight) * int(weight+1) / 2
		enough := min(k-1, nearHistory-most) // the last list that brings so much
		r.addVisitors(&lists[k], weight, enough < 0 || known[enough] < nearMost)
		known[k] = len(r.others.all)
	}
	if len(last) > 0 {
		r.addNexts(&lists[0])
	}
	r.addNear(r.nearest())
}

// addVisitors adds weight to the bettors of an event; see [others.add].
func (r *ranking) addVisitors(v *visits, weight int32, newcomers bool) {
	for _, trail := range slices.Backward(v.bettors) {
		if trail != r.bettor.trail {
			r.others.add(r.generation, trail, weight, newcomers)
		}
	}
}

// addNexts counts what the bettors of an event went on to.
func (r *ranking) addNexts(v *visits) {
	for i := len(v.bettors) - 1; i >= 0; i-- {
		if v.bettors[i] != r.bettor.trail {
			r.visitors++
			r.addNext(&v.bets[i])
		}
	}
}

// addNear counts for open events what the nearest bettors bet on. It looks at the trails
// twice, as none of them waits for another's memory while nothing depends on what is there.
func (r *ranking) addNear(nearest []other) {
	var open [nearMost]uint32
	for i, o := range nearest {
		open[i] = r.trail(o.trail).open
	}
	for i, o := range nearest {
		weight := float32(o.weight) / nearHistory
		r.nearAll += weight
		t := r.trail(o.trail)
		for open := open[i]; open != 0; open &= open - 1 {
			if slot := t.events[bits.TrailingZeros32(open)]; r.isOpen[slot] {
				r.find(slot).near += weight
			}
		}
	}
}

// addNext counts what a bettor bet on after the event that he visited.
func (r *ranking) addNext(v *visit) {
	if next := v.next[0]; next >= 0 && r.isOpen[next] {
		r.find(next).after++
	}
	if next := v.next[1]; next >= 0 && r.isOpen[next] {
		r.find(next).after += 0.5
	}
}

// nearest returns the bettors with the largest overlap, [nearMost]; of equals those
// found first.
func (r *ranking) nearest() []other {
	all := r.others.all
	if len(all) <= nearMost {
		return all
	}
	var counts [nearHistory*(nearHistory+1)/2 + 1]int // by weight
	for _, o := range all {
		counts[o.weight]++
	}
	least, n := int32(len(counts)-1), 0
	for ; least > 0 && n+counts[least] <= nearMost; least-- {
		n += counts[least]
	}
	kept, room := all[:0], nearMost-n
	for _, o := range all {
		switch {
		case o.weight > least:
			kept = append(kept, o)
		case o.weight == least && room > 0:
			kept = append(kept, o)
			room--
		}
	}
	return kept
}
