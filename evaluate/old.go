package evaluate

import "math"

// old is "similar", the ranker of the service that Tipoff replaces: any event of a sport or a
// league that the user has bet on, by chance. It has nothing for a new user.
type old struct{}

func (old) Name() string          { return "similar" }
func (old) Learn(*Query, []int32) {}

func (old) Top(q *Query) []int32 {
	liked := map[int32]bool{}
	for _, e := range q.History {
		liked[q.Events[e].Sport], liked[q.Events[e].League] = true, true
	}
	scores := make([]float64, len(q.Candidates))
	for i, c := range q.Candidates {
		if scores[i] = math.Inf(-1); liked[q.Events[c].Sport] || liked[q.Events[c].League] {
			scores[i] = float64(mix(q.Chance<<20 + uint64(c)))
		}
	}
	return q.top(scores)
}

// mix scatters a number over all of its bits (splitmix64).
func mix(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}
