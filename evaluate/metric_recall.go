package evaluate

// recall is the share of the targets that are in the list.
func recall(a *ranking) float64 {
	hits := 0.0
	for i := range a.top {
		if a.hit(i) {
			hits++
		}
	}
	return hits / float64(len(a.targets))
}
