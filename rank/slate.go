package rank

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
	switch {
	case a.sport != b.sport:
		return 0
	case sharesTeam(a, b) > 0:
		return alikeTeam
	case a.league == b.league:
		return alikeLeague
	}
	return alikeSport
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

// nearEqual is how far apart the scores of events may be that take turns, by the
// formula's measure.
const nearEqual = 0.02

// rotate lets events of nearly the same score take turns, and puts them on one level:
// their order stays with a bettor for an hour, so that asking again gives the same list.
func (r *ranking) rotate() {
	p, near, seed := r.pool, nearEqual*r.unit, r.tieSeed()
	for i := 0; i < len(p); {
		j := i + 1
		for j < len(p) && p[i].score-p[j].score < near {
			j++
		}
		level := p[i].score
		for k := i; k < j; k++ {
			p[k].level = level
		}
		if j-i > 1 {
			slices.SortFunc(p[i:j], func(a, b candidate) int {
				return cmp.Or(cmp.Compare(r.tieBreak(seed, b.slot), r.tieBreak(seed, a.slot)), a.order(b))
			})
		}
		i = j
	}
}

// diversify reorders the sorted pool so that its first n events vary: each next
// one has the best mixture of score and unlikeness to those before it (maximal
// marginal relevance: Carbonell, Goldstein, SIGIR 1998). Scores, by the level of
// [ranking.rotate], are scaled to 0..1 over the pool, as only their order has a meaning.
func (r *ranking) diversify(n int, diversity float64) {
	p := r.pool
	if len(p) < 3 {
		return
	}
	best, worst := float64(p[0].level), float64(p[len(p)-1].level)
	scale := (1 - diversity) / math.Max(best-worst, 1e-9)
	r.varied = slices.Grow(r.varied[:0], len(p))[:len(p)]
	for i := range p {
		r.varied[i] = varied{relevance: (float64(p[i].level) - worst) * scale}
	}
	r.slate = append(r.slate[:0], p[0])
	r.varied[0].chosen = true
	for len(r.slate) < min(n, len(p)) {
		next, most := -1, math.Inf(-1)
		for i := range p {
			v := &r.varied[i]
			if v.relevance <= most { // so is that of all that follow
				break
			}
			if v.chosen {
				continue
			}
			for ; v.held < len(r.slate); v.held++ {
				v.likeness = max(v.likeness, alike(p[i].entry, r.slate[v.held].entry))
			}
			if value := v.relevance - diversity*v.likeness; value > most {
				next, most = i, value
			}
		}
		if next < 0 {
			break
		}
		r.slate = append(r.slate, p[next])
		r.varied[next].chosen = true
	}
	for i := range p {
		if !r.varied[i].chosen {
			r.slate = append(r.slate, p[i])
		}
	}
	copy(p, r.slate)
}

// varied is a candidate on its way into a varied slate.
type varied struct {
	relevance float64 // share of its mixture, without the likeness
	likeness  float64 // to the most alike of the first held events of the slate
	held      int
	chosen    bool
}

// introduce reorders the sorted pool for a newcomer who asks for the default variety,
// while few have bet and what is popular tells little: every other one of its first n
// is the event that is least like those before it, so that the slate shows both what is
// popular and what there is.
func (r *ranking) introduce(n int) {
	p := r.pool
	r.varied = append(r.varied[:0], make([]varied, len(p))...)
	for i := 1; i < min(n, len(p)); i++ {
		pick := i
		for j := i; j < len(p); j++ {
			v := &r.varied[j]
			v.likeness = max(v.likeness, alike(p[j].entry, p[i-1].entry))
			if i%2 == 1 && v.likeness < r.varied[pick].likeness {
				pick = j
			}
		}
		event, likeness := p[pick], r.varied[pick]
		copy(p[i+1:pick+1], p[i:pick])
		copy(r.varied[i+1:pick+1], r.varied[i:pick])
		p[i], r.varied[i] = event, likeness
	}
}
