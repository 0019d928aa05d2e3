package evaluate

import (
	"cmp"
	"slices"
)

// vmis is VMIS-kNN kept current (Kersbergen et al., Serenade, SIGMOD 2022): the
// users who lately bet on the same events, and what else they bet on.
type vmis struct {
	popular *popular  // decides among events that no neighbour has
	recent  [][]visit // by event: the last users, newest last
	trails  [][]int32 // by user: the last events, newest last
	clock   int
}

// visit is a user's bet on an event, at a tick of the ranker's own clock.
type visit struct {
	user int32
	at   int
}

const (
	vmisRecent     = 500
	vmisNeighbours = 100
	vmisHistory    = 6
	vmisTrail      = 50
)

// newVMIS returns the ranker "vmis".
func newVMIS() *vmis { return &vmis{popular: popularNow()} }

func (*vmis) Name() string { return "vmis" }

func (v *vmis) Top(q *Query) []int32 {
	scores := make([]float64, len(q.Candidates))
	v.popular.add(q, scores)
	fallBack(scores)
	v.add(q, scores)
	return q.top(scores)
}

// add adds, for each of the nearest users who bet on a candidate, how much of the
// user's history is theirs too.
func (v *vmis) add(q *Query, scores []float64) {
	overlap, last := map[int32]float64{}, map[int32]int{}
	history := q.History[:min(len(q.History), vmisHistory)]
	for lag, e := range history {
		weight := 1 - float64(lag)/vmisHistory
		for _, visit := range at(v.recent, e) {
			if visit.user != q.User {
				overlap[visit.user] += weight
				last[visit.user] = max(last[visit.user], visit.at)
			}
		}
	}
	users := make([]int32, 0, len(overlap))
	for user := range overlap {
		users = append(users, user)
	}
	if len(users) > vmisRecent { // the most recent ones first
		slices.SortFunc(users, func(a, b int32) int { return cmp.Compare(last[b], last[a]) })
		users = users[:vmisRecent]
	}
	slices.SortFunc(users, func(a, b int32) int {
		return cmp.Or(cmp.Compare(overlap[b], overlap[a]), cmp.Compare(last[b], last[a]))
	})
	sums := make([]float64, len(q.Events))
	for _, user := range users[:min(len(users), vmisNeighbours)] {
		for _, e := range v.trails[user] {
			sums[e] += overlap[user]
		}
	}
	for i, c := range q.Candidates {
		scores[i] += sums[c]
	}
}

func (v *vmis) Learn(q *Query, legs []int32) {
	v.popular.Learn(q, legs)
	v.recent, v.trails = grown(v.recent, len(q.Events)), grown(v.trails, int(q.User)+1)
	for _, leg := range legs {
		v.clock++
		visits := v.recent[leg]
		if i := slices.IndexFunc(visits, func(s visit) bool { return s.user == q.User }); i >= 0 {
			visits = slices.Delete(visits, i, i+1)
		}
		visits = append(visits, visit{q.User, v.clock})
		v.recent[leg] = visits[max(0, len(visits)-vmisRecent):]
		trail := append(slices.DeleteFunc(v.trails[q.User], func(e int32) bool { return e == leg }), leg)
		v.trails[q.User] = trail[max(0, len(trail)-vmisTrail):]
	}
}
