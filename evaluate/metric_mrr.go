package evaluate

// reciprocalRank is 1 / the rank of the first target, 0 when none is in the list.
func reciprocalRank(a *ranking) float64 {
	for i := range a.top {
		if a.hit(i) {
			return 1 / float64(i+1)
		}
	}
	return 0
}
