package evaluate

import "math"

// ndcg is the discounted gain of the targets in the list, against that of a list
// which begins with all of them.
func ndcg(a *ranking) float64 {
	got, best := 0.0, 0.0
	for i := range a.top {
		if a.hit(i) {
			got += 1 / math.Log2(float64(i)+2)
		}
	}
	for i := range min(len(a.targets), Depth) {
		best += 1 / math.Log2(float64(i)+2)
	}
	return got / best
}
