package rank

import "tipoff"

// The rankers that a company may be served by.
const (
	RankerSimilar  = tipoff.RankerSimilar
	RankerPopular  = tipoff.RankerPopular
	RankerAffinity = tipoff.RankerAffinity
	RankerCF       = tipoff.RankerCF
	RankerTipoff   = tipoff.RankerTipoff
)

// plain are the weights by hand of the compared rankers, for bettors with bets and without.
// Terms of popularity are half a logarithm, so 2 makes them whole.
var plain = func() (weights [2][rankerCount][Terms]float32) {
	for cold := range weights {
		all := &weights[cold]
		for _, e := range []int{rankerBlend, rankerByAffinity, rankerPairsPopular, rankerByPopularity} {
			all[e][termPop6h] = 2
			if cold == 1 {
				all[e][termHome] = 1.5
			}
		}
		for _, e := range []int{rankerBlend, rankerByAffinity} {
			all[e][termSport], all[e][termLeague], all[e][termTeam] = 0.4, 0.5, 0.8
		}
		for _, e := range []int{rankerPairsPopular, rankerPairs} {
			all[e][termPairs] = 1
		}
		// Of 1, 1.5, 2 and 2.5 the one that is close to the best on every kind of log.
		all[rankerBlend][termPairs] = 2
		all[rankerBlend][termSoon6] = -0.5
		all[rankerPairs][termPop6h] = 1e-3 // between equals
	}
	return weights
}()

func plainWeights(ranker int, cold bool) *[Terms]float32 {
	if cold {
		return &plain[1][ranker]
	}
	return &plain[0][ranker]
}

// chooseWeights finds the weights of the first stage, and whether the net follows.
func (r *ranking) chooseWeights() (useNet bool) {
	ranker, m, follows := rankerBlend, r.q.Model, !r.cold
	switch r.q.Ranker {
	case RankerPopular, RankerSimilar:
		ranker, follows = rankerByPopularity, false
	case RankerAffinity:
		ranker = rankerByAffinity
	case RankerCF:
		ranker, follows = rankerPairs, false
	default:
		if m != nil && !r.isEarly() {
			ranker = m.Leader()
		}
	}
	r.formula = ranker
	if ranker == rankerNet || ranker == rankerLinear {
		m.weights(&r.context, &r.weights)
	} else {
		r.weights = *plainWeights(ranker, r.cold)
	}
	if follows {
		r.mix()
	}
	return ranker == rankerNet
}
