package evaluate

import (
	"cmp"
	"math"
	"slices"
)

// cf is incremental item-item collaborative filtering (Huang et al., TencentRec,
// SIGMOD 2015): events that the same users bet on, one soon after the other.
type cf struct {
	popular *popular // decides among events without similarity; nil: nothing does
	times   bool     // popularity is multiplied with the similarity instead
	bets    []float64
	pairs   []map[int32]float64 // by event, both ways
}

const (
	cfHistory = 10
	cfLearn   = 0.7 // weight of each older event when learning
	cfRead    = 0.6 // and when reading
	cfShrink  = 5.0
	cfMost    = 512 // neighbours of an event
)

// newCF returns the ranker "cf".
func newCF() *cf { return &cf{popular: popularNow()} }

// newCFPopular returns the ranker "cf-popular": similarity times popularity.
func newCFPopular() *cf { return &cf{popular: popularNow(), times: true} }

func (c *cf) Name() string {
	if c.times {
		return "cf-popular"
	}
	return "cf"
}

func (c *cf) Top(q *Query) []int32 {
	scores := make([]float64, len(q.Candidates))
	c.popular.add(q, scores)
	if !c.times {
		fallBack(scores)
	}
	c.add(q, scores)
	return q.top(scores)
}

// fallBack makes scores so small that they only decide between equals.
func fallBack(scores []float64) {
	for i := range scores {
		scores[i] *= 1e-6
	}
}

// add adds the logarithm of how similar the candidates are to the user's last events.
func (c *cf) add(q *Query, scores []float64) {
	similar, weight := make([]float64, len(q.Events)), 1.0
	for _, p := range q.History[:min(len(q.History), cfHistory)] {
		if int(p) < len(c.pairs) {
			for e, pair := range c.pairs[p] {
				similar[e] += weight * pair / (math.Sqrt(c.bets[p]*c.bets[e]) + cfShrink)
			}
		}
		weight *= cfRead
	}
	for i, e := range q.Candidates {
		scores[i] += math.Log1p(50 * similar[e])
	}
}

func (c *cf) Learn(q *Query, legs []int32) {
	if c.popular != nil {
		c.popular.Learn(q, legs)
	}
	c.bets, c.pairs = grown(c.bets, len(q.Events)), grown(c.pairs, len(q.Events))
	history := slices.Clone(q.History[:min(len(q.History), cfHistory+1)])
	for _, leg := range legs {
		c.bets[leg]++
		weight, seen := 1.0, 0
		for _, p := range history {
			if p == leg || seen == cfHistory {
				continue
			}
			c.pair(leg, p, weight)
			c.pair(p, leg, weight)
			weight *= cfLearn
			seen++
		}
		history = slices.Insert(slices.DeleteFunc(history, func(e int32) bool { return e == leg }), 0, leg)
	}
}

// pair adds weight to the neighbour b of a.
func (c *cf) pair(a, b int32, weight float64) {
	if c.pairs[a] == nil {
		c.pairs[a] = map[int32]float64{}
	}
	c.pairs[a][b] += weight
	if len(c.pairs[a]) > 2*cfMost {
		c.prune(a)
	}
}

// prune leaves the heaviest neighbours of an event.
func (c *cf) prune(a int32) {
	type neighbour struct {
		event  int32
		weight float64
	}
	var all []neighbour
	for e, w := range c.pairs[a] {
		all = append(all, neighbour{e, w})
	}
	slices.SortFunc(all, func(x, y neighbour) int {
		return cmp.Or(cmp.Compare(y.weight, x.weight), cmp.Compare(x.event, y.event))
	})
	for _, n := range all[cfMost:] {
		delete(c.pairs[a], n.event)
	}
}
