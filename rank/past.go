package rank

import (
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
func (r *ranking) preparePairs(b *state.Bettor) {
	weight, given := float32(1), float32(1)
	r.events = b.LastEvents(state.HistoryForPairs, r.events[:0])
	for k, event := range r.events {
		// Of one that is not posted nobody knows here how often it was bet on.
		if slot, ok := r.slots[event]; ok && r.entries[slot].event != nil {
			from := &r.entries[slot]
			if k == 0 {
				r.last = from
			}
			share, root := given/(float32(from.legCount)+givePrior), r.rootLegs[slot]
			for _, e := range from.after {
				if !r.isOpen[e.slot] {
					continue
				}
				f := r.addPair(slot, e, weight/(r.rootLegs[e.slot]*root+pairPrior), share, k == 0)
				if k == 0 {
					f.next += share * e.weight
				}
			}
			for _, e := range from.before {
				if r.isOpen[e.slot] {
					r.addPair(slot, e, weight/(r.rootLegs[e.slot]*root+pairPrior), share, k == 0)
				}
			}
		}
		weight *= pairRead
		given *= pairFade
	}
}

func (r *ranking) addPair(from int32, e edge, cos, given float32, last bool) *found {
	f, cos := r.find(e.slot), cos*e.weight
	f.cos += cos
	f.given += given * e.weight
	if last {
		f.last += cos
	}
	if cos > f.most {
		f.most, f.source = cos, from
	}
	return f
}

// overlap is how much of a bettor's past another one shares.
type overlap struct {
	generation uint32
	weight     float32
}

// prepareNear asks who else bet on the last events, and on what (VMIS-kNN:
// Kersbergen et al., Serenade, SIGMOD 2022).
func (r *ranking) prepareNear(b *state.Bettor) {
	self, known := r.bettors[b.User.ID]
	if !known {
		self = -1
	}
	if len(r.overlaps) < len(r.trails) {
		r.overlaps = make([]overlap, len(r.trails)+len(r.trails)/4)
	}
	r.others = r.others[:0]
	for k, event := range r.events[:min(len(r.events), nearHistory)] {
		slot, ok := r.slots[event]
		if !ok {
			continue
		}
		weight := 1 - float32(k)/nearHistory
		visits := r.entries[slot].visits
		for i := len(visits) - 1; i >= 0; i-- {
			other := visits[i].bettor
			if other == self {
				continue
			}
			o := &r.overlaps[other]
			if o.generation != r.generation {
				*o = overlap{r.generation, 0}
				r.others = append(r.others, other)
			}
			o.weight += weight
			if k == 0 {
				r.visitors++
				r.addNext(&visits[i])
			}
		}
	}
	for _, other := range r.nearest() {
		weight := r.overlaps[other].weight
		r.nearAll += weight
		for _, slot := range r.trails[other].events {
			if r.isOpen[slot] {
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
func (r *ranking) nearest() []int32 {
	if len(r.others) <= nearMost {
		return r.others
	}
	const steps = 64
	var counts [steps]int
	step := func(other int32) int { return min(int(r.overlaps[other].weight*12), steps-1) }
	for _, other := range r.others {
		counts[step(other)]++
	}
	least, n := steps-1, 0
	for ; least > 0 && n+counts[least] <= nearMost; least-- {
		n += counts[least]
	}
	kept, room := r.others[:0], nearMost-n
	for _, other := range r.others {
		switch s := step(other); {
		case s > least:
			kept = append(kept, other)
		case s == least && room > 0:
			kept = append(kept, other)
			room--
		}
	}
	return kept
}
