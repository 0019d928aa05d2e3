package evaluate

import "math"

// affinity ranks by how much more a user chooses an event's sport, league and best
// team than everyone does, times its popularity.
type affinity struct {
	popular  *popular
	everyone taste
	users    []taste
}

// taste is the decayed number of bets, in all and by sport, league or team.
type taste struct {
	all decayed
	of  map[int32]*decayed
}

const (
	tasteHalfLife = 30 * 24 * 3600.0
	tastePrior    = 5.0
	liftLeast     = -2.0
	liftMost      = 4.0
)

// newAffinity returns the ranker "affinity".
func newAffinity() *affinity {
	return &affinity{popular: popularNow(), everyone: taste{of: map[int32]*decayed{}}}
}

func (*affinity) Name() string { return "affinity" }

func (a *affinity) Top(q *Query) []int32 {
	scores := make([]float64, len(q.Candidates))
	a.popular.add(q, scores)
	a.add(q, scores)
	return q.top(scores)
}

func (a *affinity) add(q *Query, scores []float64) {
	now, user := seconds(q.Now), at(a.users, q.User)
	lifts := map[int32]float64{}
	lift := func(c int32) float64 {
		v, known := lifts[c]
		if !known {
			v = a.lift(&user, c, now)
			lifts[c] = v
		}
		return v
	}
	for i, c := range q.Candidates {
		e := &q.Events[c]
		scores[i] += .4*lift(e.Sport) + .5*lift(e.League)
		best := 0.0
		for k, team := range e.Teams {
			if l := lift(team); k == 0 || l > best {
				best = l
			}
		}
		scores[i] += .8 * best
	}
}

func (a *affinity) lift(user *taste, c int32, now float64) float64 {
	share := math.Max(a.everyone.weight(c, now)/math.Max(a.everyone.all.value(now, tasteHalfLife), 1e-9), 1e-9)
	v := (user.weight(c, now) + tastePrior*share) / ((user.all.value(now, tasteHalfLife) + tastePrior) * share)
	return math.Min(math.Max(math.Log(v), liftLeast), liftMost)
}

func (t *taste) weight(c int32, now float64) float64 {
	if f := t.of[c]; f != nil {
		return f.value(now, tasteHalfLife)
	}
	return 0
}

func (t *taste) add(c int32, now float64) {
	if t.of == nil {
		t.of = map[int32]*decayed{}
	}
	if t.of[c] == nil {
		t.of[c] = new(decayed)
	}
	t.of[c].add(1, now, tasteHalfLife)
}

func (a *affinity) Learn(q *Query, legs []int32) {
	a.popular.Learn(q, legs)
	a.users = grown(a.users, int(q.User)+1)
	now := seconds(q.Now)
	for _, leg := range legs {
		e := &q.Events[leg]
		for _, t := range []*taste{&a.everyone, &a.users[q.User]} {
			t.all.add(1, now, tasteHalfLife)
			t.add(e.Sport, now)
			t.add(e.League, now)
			for _, team := range e.Teams {
				t.add(team, now)
			}
		}
	}
}
