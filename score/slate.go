package score

import (
	"cmp"
	"math"
	"slices"
)

// How alike two events are, for a varied slate.
const (
	alikeTeam   = 1.0 // they share a team
	alikeLeague = 0.7
	alikeSport  = 0.3
)

func alike(a, b *entry) float64 {
	for _, team := range a.teams {
		for _, other := range b.teams {
			if team == other {
				return alikeTeam
			}
		}
	}
	switch {
	case a.league == b.league:
		return alikeLeague
	case a.sport == b.sport:
		return alikeSport
	}
	return 0
}

// capLeagues leaves at most most events of each league in the sorted pool.
func (r *ranking) capLeagues(most int) {
	taken := map[int32]int{}
	kept := r.pool[:0]
	for _, c := range r.pool {
		if taken[c.entry.league]++; taken[c.entry.league] <= most {
			kept = append(kept, c)
		}
	}
	r.pool = kept
}

// nearEqual is how far apart the scores of events may be that take turns.
const nearEqual = 0.02

// rotate lets events of nearly the same score take turns: their order stays with a
// bettor for an hour, so that asking again gives the same list.
func (r *ranking) rotate() {
	p := r.pool
	for i := 0; i < len(p); {
		j := i + 1
		for j < len(p) && p[i].score-p[j].score < nearEqual {
			j++
		}
		if j-i > 1 {
			slices.SortFunc(p[i:j], func(a, b candidate) int {
				return cmp.Or(cmp.Compare(r.chance(b.slot), r.chance(a.slot)), a.order(b))
			})
		}
		i = j
	}
}

// diversify reorders the sorted pool so that its first n events vary: each next
// one has the best mixture of score and unlikeness to those before it (maximal
// marginal relevance: Carbonell, Goldstein, SIGIR 1998). Scores are scaled to 0..1
// over the pool, as only their order has a meaning.
func (r *ranking) diversify(n int, diversity float64) {
	if len(r.pool) < 3 {
		return
	}
	best, worst := float64(r.pool[0].score), float64(r.pool[len(r.pool)-1].score)
	scale := 1 / math.Max(best-worst, 1e-9)
	if cap(r.likeness) < len(r.pool) {
		r.likeness = make([]float64, 2*len(r.pool))
	}
	likeness := r.likeness[:len(r.pool)] // to the most alike event chosen so far
	clear(likeness)
	for chosen := 1; chosen < min(n, len(r.pool)); chosen++ {
		last := r.pool[chosen-1].entry
		next, most := chosen, math.Inf(-1)
		for i := chosen; i < len(r.pool); i++ {
			likeness[i] = math.Max(likeness[i], alike(r.pool[i].entry, last))
			relevance := (float64(r.pool[i].score) - worst) * scale
			if v := (1-diversity)*relevance - diversity*likeness[i]; v > most {
				next, most = i, v
			}
		}
		picked, pickedLikeness := r.pool[next], likeness[next]
		copy(r.pool[chosen+1:next+1], r.pool[chosen:next])
		copy(likeness[chosen+1:next+1], likeness[chosen:next])
		r.pool[chosen], likeness[chosen] = picked, pickedLikeness
	}
}
