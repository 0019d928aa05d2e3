package rank

import (
	"slices"

	"tipoff/state"
)

// edge is a pair of fixtures and its weight in bets.
type edge struct {
	slot   int32
	weight float32
}

// pair is one of a fixture's pairs as questions ask for it: the other fixture, and the
// weights of bets on it before this one and after it.
type pair struct {
	slot          int32
	before, after float32
}

// setNeighbours replaces a fixture's pairs and keeps their reverse in step.
func (x *Index) setNeighbours(slot int32, neighbours []state.Neighbour) {
	old := x.entries[slot].before
	fresh := make([]edge, len(neighbours))
	for i, n := range neighbours {
		fresh[i] = edge{x.slot(n.Event), float32(n.Weight) / state.PairUnit}
	}
	x.entries[slot].before = fresh
	weights := x.oldWeights
	clear(weights)
	for _, o := range old {
		weights[o.slot] = o.weight
	}
	for _, f := range fresh { // lists change little, but what stands where does
		if weight, known := weights[f.slot]; !known || weight != f.weight {
			x.setEdge(f.slot, slot, f.weight)
		}
		delete(weights, f.slot)
	}
	for _, o := range old {
		if _, gone := weights[o.slot]; gone {
			x.setEdge(o.slot, slot, 0)
		}
		x.drop(o.slot)
	}
}

// setEdge notes everywhere else the weight of the pair that the fixture to has with from,
// an event bet on before it; 0 removes it.
func (x *Index) setEdge(from, to int32, weight float32) {
	list := &x.entries[from].after
	i := slices.IndexFunc(*list, func(e edge) bool { return e.slot == to })
	switch {
	case weight == 0 && i >= 0:
		(*list)[i] = (*list)[len(*list)-1]
		*list = (*list)[:len(*list)-1]
	case weight == 0:
	case i >= 0:
		(*list)[i].weight = weight
	default:
		*list = append(*list, edge{to, weight})
	}
	x.setAhead(from, to, func(p *pair) { p.after = weight })
	x.setAhead(to, from, func(p *pair) { p.before = weight })
}

// setAhead changes a fixture's pair with another in its list ahead.
func (x *Index) setAhead(of, other int32, change func(*pair)) {
	list := &x.entries[of].ahead
	i := slices.IndexFunc(*list, func(p pair) bool { return p.slot == other })
	if i < 0 {
		if !x.entries[other].isAhead {
			return
		}
		i = len(*list)
		*list = append(*list, pair{slot: other})
	}
	p := &(*list)[i]
	if change(p); p.before == 0 && p.after == 0 {
		(*list)[i] = (*list)[len(*list)-1]
		*list = (*list)[:len(*list)-1]
	}
}

// lead puts an event that is open for the first time, or again after it had begun, into the lists
// ahead of those that it pairs with.
func (x *Index) lead(slot int32) {
	e := &x.entries[slot]
	if e.isAhead {
		return
	}
	e.isAhead = true
	for _, o := range e.before {
		x.setAhead(o.slot, slot, func(p *pair) { p.after = o.weight })
	}
	for _, o := range e.after {
		x.setAhead(o.slot, slot, func(p *pair) { p.before = o.weight })
	}
}

// sweepPairs takes events that have begun out of the lists ahead of so many fixtures.
func (x *Index) sweepPairs(fixtures int) {
	for range min(fixtures, len(x.entries)) {
		x.paired = (x.paired + 1) % int32(len(x.entries))
		e := &x.entries[x.paired]
		e.ahead = slices.DeleteFunc(e.ahead, func(p pair) bool { return !x.entries[p.slot].isAhead })
	}
}
