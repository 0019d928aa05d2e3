package evaluate

// hitRate is 1 when any target is in the list.
func hitRate(a *ranking) float64 {
	for i := range a.top {
		if a.hit(i) {
			return 1
		}
	}
	return 0
}
