package rank

import "math"

// breadth bounds a retrieval.
type breadth struct {
	hot   int // events of each hot list
	found int // about so many of those that the bettor's past leads to
}

// Learning looks further than serving does: what is not in its list is not learnt to
// stand low.
var (
	toServe = breadth{hot: 24, found: 64}
	toLearn = breadth{hot: 50, found: 150}
)

const (
	retrieveAbove = 256 // fewer open events are all ranked
	likedMost     = 6   // of a bettor's leagues, and of his teams
	likedEvents   = 12  // open events of each
)

// retrieve lists admitted events that may stand high: those most bet on, those that
// the bettor's past leads to, and those of his leagues and teams.
func (r *ranking) retrieve(to []int32, wide breadth) []int32 {
	add := func(slot int32) {
		if r.admits(slot) {
			r.skip[slot] = r.generation
			to = append(to, slot)
		}
	}
	least := r.foundLeast(wide.found)
	for _, slot := range r.touched {
		if foundStep(&r.found[slot]) >= least {
			add(slot)
		}
	}
	for _, list := range r.hot {
		for _, h := range list.events[:min(len(list.events), wide.hot)] {
			add(h.slot)
		}
	}
	if b := r.bettor; b != nil {
		to = r.retrieveLiked(kindLeague, to)
		to = r.retrieveLiked(kindTeam, to)
	}
	return to
}

// retrieveLiked adds open events of the leagues or teams that the bettor bet on most,
// as a few hundred events would cost more than they bring.
func (r *ranking) retrieveLiked(kind categoryKind, to []int32) []int32 {
	tastes, weights := r.bettor.tastesOf(kind)
	least := heaviest(weights, likedMost)
	for i, id := range tastes {
		if weights[i] < least {
			continue
		}
		open := r.categories[id].open
		for _, slot := range open[:min(len(open), likedEvents)] {
			if r.admits(slot) {
				r.skip[slot] = r.generation
				to = append(to, slot)
			}
		}
	}
	return to
}

// heaviest is the weight that only the n heaviest reach.
func heaviest(weights []float32, n int) float32 {
	var best [likedMost]float32
	for _, weight := range weights {
		if weight <= best[n-1] {
			continue
		}
		i := n - 1
		for ; i > 0 && best[i-1] < weight; i-- {
			best[i] = best[i-1]
		}
		best[i] = weight
	}
	return best[n-1]
}

const foundSteps = 256

// foundStep says how strongly a bettor's past speaks for an event, roughly, on a
// logarithmic scale: the exponent and three more bits of the weight.
func foundStep(f *found) int {
	weight := f.given + f.cos + f.near*0.01 + f.after*0.01
	return max(0, min(foundSteps-1, int(math.Float32bits(weight)>>20)-foundZero))
}

// foundZero is the scale's 0, a weight of 2^-31.
const foundZero = (127 - 31) << 3

// foundLeast is the step that leaves about most events.
func (r *ranking) foundLeast(most int) int {
	if len(r.touched) <= most {
		return 0
	}
	var counts [foundSteps]int
	for _, slot := range r.touched {
		counts[foundStep(&r.found[slot])]++
	}
	n, least := 0, foundSteps-1
	for ; least > 0 && n+counts[least] <= most; least-- {
		n += counts[least]
	}
	return least
}
