package score

// Bounds of a retrieval.
const (
	retrieveHot    = 60  // of each hot list
	retrieveLiked  = 24  // open events of a league or team that a bettor likes
	retrieveFound  = 200 // found by the bettor's past
	retrieveRandom = 150
)

// retrieve lists open events that may stand high: those most bet on, those that the
// bettor's past leads to, and those of his leagues and teams.
func (r *termSet) retrieve(to []int32) []int32 {
	add := func(slot int32) {
		e := &r.entries[slot]
		if e.place < 0 || e.begin <= r.micros || r.skip[slot] == r.generation {
			return
		}
		r.skip[slot] = r.generation
		to = append(to, slot)
	}
	least := r.foundLeast()
	for _, slot := range r.touched {
		if r.found[slot].weight() >= least {
			add(slot)
		}
	}
	for _, list := range r.hot {
		for i := range min(len(list), retrieveHot) {
			add(list[i].slot)
		}
	}
	if b := r.q.Bettor; b != nil {
		for kind, list := range [][]Affinity{b.Leagues, b.Teams} {
			for _, a := range list {
				if id, ok := r.ids[categoryKey{kindLeague + categoryKind(kind), a.Key}]; ok {
					open := r.categories[id].open
					for _, slot := range open[:min(len(open), retrieveLiked)] {
						add(slot)
					}
				}
			}
		}
	}
	return to
}

// weight is how strongly a bettor's past speaks for an event, roughly.
func (f *found) weight() float32 { return f.given + f.cos + f.near*.01 + f.after*.01 }

// foundLeast is the weight that leaves about [retrieveFound] events.
func (r *termSet) foundLeast() float32 {
	if len(r.touched) <= retrieveFound {
		return 0
	}
	const steps = 128
	var counts [steps]int
	for _, slot := range r.touched {
		if r.entries[slot].place >= 0 {
			counts[foundStep(r.found[slot].weight())]++
		}
	}
	n, k := 0, steps-1
	for ; k > 0 && n+counts[k] <= retrieveFound; k-- {
		n += counts[k]
	}
	return exp2(float32(k-steps+1) / 8)
}

// foundStep is the logarithm of a weight as 0..127, 8 steps an octave up to 1.
func foundStep(w float32) int {
	return max(0, min(127, 127+int(log2(w+1e-9)*8)))
}
