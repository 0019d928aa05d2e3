package evaluate

import "math"

// blend is the sum of affinity, popularity, collaborative filtering and urgency,
// with weights by hand.
type blend struct {
	affinity *affinity
	cf       *cf
}

// newBlend returns the ranker "hand-blend".
func newBlend() *blend { return &blend{newAffinity(), &cf{}} }

func (*blend) Name() string { return "hand-blend" }

func (b *blend) Top(q *Query) []int32 {
	scores := make([]float64, len(q.Candidates))
	b.add(q, scores)
	return q.top(scores)
}

func (b *blend) add(q *Query, scores []float64) {
	b.affinity.popular.add(q, scores)
	b.affinity.add(q, scores)
	b.cf.add(q, scores)
	for i, c := range q.Candidates {
		hours := float64(q.Events[c].begin-q.Now.UnixMicro()) / 3.6e9
		scores[i] -= .5 * math.Log1p(hours/6)
	}
}

func (b *blend) Learn(q *Query, legs []int32) {
	b.affinity.Learn(q, legs)
	b.cf.Learn(q, legs)
}
