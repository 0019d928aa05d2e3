package score

// Bounds of a retrieval.
const (
	retrieveAbove = 256 // fewer open events are all ranked
	retrieveHot   = 50  // of each hot list
	retrieveLiked = 24  // open events of a league or team that the bettor likes
	retrieveFound = 150 // about so many of those that the bettor's past leads to
)

// retrieve lists admitted events that may stand high: those most bet on, those that
// the bettor's past leads to, and those of his leagues and teams.
func (r *ranking) retrieve(to []int32) []int32 {
	add := func(slot int32) {
		if r.admits(slot) {
			r.skip[slot] = r.generation
			to = append(to, slot)
		}
	}
	least := r.foundLeast()
	for _, slot := range r.touched {
		if r.entries[slot].place >= 0 && foundStep(&r.found[slot]) >= least {
			add(slot)
		}
	}
	for _, list := range r.hot {
		for i := range min(len(list), retrieveHot) {
			add(list[i].slot)
		}
	}
	if b := r.q.Bettor; b != nil {
		for kind, list := range [...][]Affinity{b.Leagues, b.Teams} {
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

const foundSteps = 128

// foundStep says how strongly a bettor's past speaks for an event, roughly, on a
// logarithmic scale.
func foundStep(f *found) int {
	weight := float32(f.given+f.cos) + f.near*0.01 + f.after*0.01
	return max(0, min(foundSteps-1, foundSteps-1+int(log2(weight+1e-9)*8)))
}

// foundLeast is the step that leaves about [retrieveFound] events.
func (r *ranking) foundLeast() int {
	if len(r.touched) <= retrieveFound {
		return 0
	}
	var counts [foundSteps]int
	for _, slot := range r.touched {
		if r.entries[slot].place >= 0 {
			counts[foundStep(&r.found[slot])]++
		}
	}
	n, least := 0, foundSteps-1
	for ; least > 0 && n+counts[least] <= retrieveFound; least-- {
		n += counts[least]
	}
	return least
}
