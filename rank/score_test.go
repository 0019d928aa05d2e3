package rank

import (
	"fmt"
	"math"
	"testing"

	"tipoff"
)

// TestScore_IsTheSumOfTheWeightedTerms: what is added up once for a league or a team is
// what the terms of each event come to.
func TestScore_IsTheSumOfTheWeightedTerms(t *testing.T) {
	w := randomWorld(4, 600)
	w.user("cold", "country 1")
	learnt := taught(w, 300)
	learnt.Quality = [rankerCount]Quality{rankerLinear: {Sum: 50, Weight: 100}}
	for _, ranker := range []string{RankerTipoff, RankerAffinity, RankerCF, RankerPopular} {
		for _, model := range []*Model{nil, learnt} {
			for i := range 13 {
				q := &Question{Query: tipoff.Query{UserID: fmt.Sprint("u", i), N: 10}, Now: w.now, Ranker: ranker, Model: model}
				if i == 12 {
					q.UserID = "cold"
				}
				s := new(Scratch)
				s.reset(len(w.index.categories), len(w.index.entries))
				r := &s.ranking
				r.begin(w.index, q, s)
				r.chooseWeights()
				for _, got := range r.score(w.index.open) {
					var terms [Terms]float32
					r.fill(got.slot, &terms)
					want, own := dot(&r.weights, &terms), dot(&r.own, &terms)
					if math.Abs(float64(got.score-want)) > 1e-4 || math.Abs(float64(got.own-own)) > 1e-4 {
						t.Errorf("%s, %s: the score is %v, %v of it the bettor's own; the terms come to %v, %v", ranker, q.UserID, got.score, got.own, want, own)
					}
				}
			}
		}
	}
}
