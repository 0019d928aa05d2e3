package evaluate

import (
	"math"

	"tipoff/rank"
)

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
			scores[i] = float64(rank.Scatter(q.Chance<<20 + uint64(c)))
		}
	}
	return q.top(scores)
}
