package evaluate

import "math"

// novelty is the mean information, in bits, of the events shown: how rarely others
// bet on them so far.
func novelty(a *ranking) float64 {
	if len(a.top) == 0 {
		return 0
	}
	bits := 0.0
	for _, e := range a.top {
		bits -= math.Log2((a.events[e].bets + 1) / (a.all + 1))
	}
	return bits / float64(len(a.top))
}
