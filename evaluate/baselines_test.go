package evaluate

import (
	"math"
	"slices"
	"testing"
	"time"

	"tipoff"
)

// The baselines by cases small enough to be computed by hand.

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

// event is one that begins so many hours after noon.
func event(hours int, sport, league int32, teams ...int32) Event {
	e := &tipoff.Event{Begin: noon.Add(time.Duration(hours) * time.Hour)}
	return Event{Event: e, Sport: sport, League: league, Teams: teams, begin: e.Begin.UnixMicro()}
}

// plainEvents are n events with nothing to tell them apart but their beginnings.
func plainEvents(n int) []Event {
	events := make([]Event, n)
	for i := range events {
		events[i] = event(i+1, 0, 0)
	}
	return events
}

// bet lets a ranker learn one coupon at noon; history is what the user bet on
// before, newest first.
func bet(r Ranker, events []Event, user int32, history []int32, legs ...int32) {
	r.Learn(&Query{User: user, Now: noon, History: history, Events: events}, legs)
}

// scored is a ranker whose scores can be looked at.
type scored interface {
	Ranker
	add(*Query, []float64)
}

func wantScores(t *testing.T, r scored, q *Query, want ...float64) {
	t.Helper()
	scores := make([]float64, len(q.Candidates))
	r.add(q, scores)
	for i, c := range q.Candidates {
		if math.Abs(scores[i]-want[i]) > 1e-6 {
			t.Errorf("%s: event %d has %.6f, want %.6f", r.Name(), c, scores[i], want[i])
		}
	}
}

func TestCF_SimilarityOfWhatTheSameUsersBetOn(t *testing.T) {
	events := plainEvents(5)
	for _, r := range []*cf{newCF(), newCFPopular()} {
		bet(r, events, 0, nil, 0)
		bet(r, events, 0, []int32{0}, 1)
		bet(r, events, 0, []int32{1, 0}, 2)
		bet(r, events, 1, nil, 0, 1)
		bet(r, events, 2, nil, 3)
		// Bets: 2 on event 0, 2 on 1, 1 on 2, 1 on 3. Weights of pairs: 0-1 has 1 of user
		// 0 and 1 of user 1, who bet on both in one coupon; 1-2 has 1; 0-2 has 0.7, as it
		// is one step further back.
		for _, pair := range []struct {
			a, b   int32
			weight float64
		}{{0, 1, 2}, {1, 2, 1}, {0, 2, 0.7}} {
			if ab, ba := r.pairs[pair.a][pair.b], r.pairs[pair.b][pair.a]; ab != pair.weight || ba != pair.weight {
				t.Errorf("%s: the pair %d-%d weighs %v and %v, want %v", r.Name(), pair.a, pair.b, ab, ba, pair.weight)
			}
		}
		q := &Query{User: 3, Now: noon, Events: events, History: []int32{1, 0}, Candidates: []int32{2, 3, 4}}
		// Event 2, by 1 and then, at 0.6, by 0; each pair is shrunk by the root of both's
		// bets and 5:  (1*1 + 0.6*0.7) / (sqrt(2*1) + 5) = 1.42 / 6.414214 = 0.221383,
		// of which the score is log(1 + 50*0.221383) = log(12.069167) = 2.490654.
		// Events 3 and 4 have no pair with either.
		wantScores(t, r, q, 2.490654, 0, 0)
	}
}

func TestCF_DoesNotPairAnEventWithItself(t *testing.T) {
	r, events := newCF(), plainEvents(3)
	bet(r, events, 0, []int32{2, 1, 0}, 0)
	// Event 0 is met again in the history and takes no place there: 2 has 1, 1 has 0.7.
	if p := r.pairs[0]; len(p) != 2 || p[2] != 1 || p[1] != 0.7 {
		t.Errorf("the pairs of event 0 weigh %v", p)
	}
}

func TestCF_PopularityDecidesBetweenEquals(t *testing.T) {
	events := plainEvents(5)
	top := func(r *cf) []int32 {
		bet(r, events, 0, nil, 0, 2)
		for user := range int32(200) {
			bet(r, events, user+1, nil, 4)
		}
		bet(r, events, 201, nil, 3)
		return r.Top(&Query{User: 202, Now: noon, Events: events, History: []int32{0}, Candidates: []int32{1, 2, 3, 4}})
	}
	// Event 2 alone has a pair with event 0: 1 / (sqrt(1*1) + 5), and log(1 + 50/6) =
	// 2.2336. Without similarity event 4 with 200 bets stands before 3 with one, before 1
	// with none.
	if got, want := top(newCF()), []int32{2, 4, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("cf: %v, want %v", got, want)
	}
	// Times popularity, event 2 has log(1.3) + 2.2336 = 2.4960; event 4 has log(200.3) =
	// 5.2998, event 3 log(1.3) = 0.2624, and event 1 log(0.3) = -1.2040.
	if got, want := top(newCFPopular()), []int32{4, 2, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("cf-popular: %v, want %v", got, want)
	}
}

func TestCF_KeepsTheHeaviestNeighbours(t *testing.T) {
	r := newCF()
	r.pairs = make([]map[int32]float64, 1)
	for n := range int32(2*cfMost + 1) { // the last one is too many
		r.pair(0, n+1, float64(n+1))
	}
	p := r.pairs[0]
	if _, least := p[2*cfMost+1-cfMost+1]; len(p) != cfMost || !least || p[2*cfMost+1] != 2*cfMost+1 {
		t.Errorf("%d neighbours are left, want the heaviest %d", len(p), cfMost)
	}
}

func TestVMIS_CountsTheHistoryThatNeighboursShare(t *testing.T) {
	r, events := newVMIS(), plainEvents(6)
	bet(r, events, 0, nil, 0, 1, 3)
	bet(r, events, 1, nil, 0, 2)
	bet(r, events, 2, nil, 1, 3)
	bet(r, events, 3, nil, 1, 0, 5)
	q := &Query{User: 3, Now: noon, Events: events, History: []int32{0, 1}, Candidates: []int32{2, 3, 4, 5}}
	// The newest event counts 1, the one before 1 - 1/6 = 5/6. User 0 shares both: 11/6.
	// User 1 shares event 0: 1. User 2 shares event 1: 5/6. User 3 is the one who asks.
	// Event 2 was bet on by user 1: 1. Event 3 by users 0 and 2: 11/6 + 5/6 = 16/6. Event
	// 4 by nobody, event 5 by the asking user alone.
	wantScores(t, r, q, 1, 16./6, 0, 0)
	if got, want := r.Top(q), []int32{3, 2, 5, 4}; !slices.Equal(got, want) { // event 5 has one bet, event 4 has none
		t.Errorf("the ranking is %v, want %v", got, want)
	}
}

func TestVMIS_AsksTheNearestNeighboursOnly(t *testing.T) {
	r, events := newVMIS(), plainEvents(5)
	bet(r, events, 0, nil, 0, 1, 2) // shares both events of the history
	for user := int32(1); user <= 160; user++ {
		bet(r, events, user, nil, 0, 3+user%2) // share one; 4 for odd users, 3 for even ones
	}
	q := &Query{User: 200, Now: noon, Events: events, History: []int32{0, 1}, Candidates: []int32{2, 3, 4}}
	// The 100 nearest are user 0, with 11/6, and of the others, who all have 1, the 99 who
	// bet last: users 62 to 160, of which 50 are even and 49 odd.
	wantScores(t, r, q, 11./6, 50, 49)
}

func TestVMIS_LooksSixEventsBack(t *testing.T) {
	r, events := newVMIS(), plainEvents(9)
	for e := range int32(7) {
		bet(r, events, e, nil, e, 7)
	}
	q := &Query{User: 9, Now: noon, Events: events, History: []int32{0, 1, 2, 3, 4, 5, 6}, Candidates: []int32{7, 8}}
	// 6/6 + 5/6 + 4/6 + 3/6 + 2/6 + 1/6 = 21/6; event 6 is the seventh and does not count.
	wantScores(t, r, q, 21./6, 0)
}

func TestPopular_BetsDecayWithTheirHalfLife(t *testing.T) {
	r, events := popularNow(), plainEvents(2)
	bet(r, events, 0, nil, 0)
	bet(r, events, 1, nil, 0)
	q := &Query{Now: noon.Add(6 * time.Hour), Events: events, Candidates: []int32{0, 1}}
	// Two bets, six hours ago: 1 bet. log(1 + 0.3) = 0.262364, and log(0.3) = -1.203973.
	wantScores(t, r, q, 0.262364, -1.203973)
	r.Learn(&Query{User: 2, Now: q.Now, Events: events}, []int32{0})
	q.Now = noon.Add(12 * time.Hour)
	// Half of one and one: 1 bet again.
	wantScores(t, r, q, 0.262364, -1.203973)
}

func TestBlend_SumsTasteCrowdSimilarityAndTime(t *testing.T) {
	r := newBlend()
	events := []Event{
		event(3, 100, 110, 120, 121), // what the users bet on
		event(6, 100, 110, 120, 122), // a candidate of the user's sport, league and one team
		event(18, 101, 111, 123, 124),
		event(3, 101, 111, 123, 125),
	}
	bet(r, events, 0, nil, 0)
	bet(r, events, 1, nil, 3)
	bet(r, events, 2, nil, 0, 1)
	q := &Query{User: 0, Now: noon, Events: events, History: []int32{0}, Candidates: []int32{1, 2}}
	// Of the four legs three have sport 100, league 110 and team 120, so a share of 0.75;
	// one each has sport 101, league 111, teams 122, 123 and 125, a share of 0.25. User 0
	// has one leg, of the first.
	//   lift of 100, 110, 120:      log((1 + 5*0.75) / ((1 + 5)*0.75)) = log(19/18) = 0.054067
	//   lift of 101, 111, 122, 123: log((0 + 5*0.25) / ((1 + 5)*0.25)) = log(5/6) = -0.182322
	// Team 124 is unknown, and log(5/6) too, whatever its share is.
	//
	// Event 1, with one bet, and 1 / (sqrt(2*1) + 5) = 0.155904 of similarity with event 0:
	//   taste      (0.4 + 0.5 + 0.8) * log(19/18)  =  0.091914
	//   popularity log(1 + 0.3)                    =  0.262364
	//   similarity log(1 + 50*0.155904)            =  2.174205
	//   time       -0.5 * log(1 + 6/6)             = -0.346574
	// Event 2, with no bet and no similarity:
	//   taste      (0.4 + 0.5 + 0.8) * log(5/6)    = -0.309947
	//   popularity log(0.3)                        = -1.203973
	//   time       -0.5 * log(1 + 18/6)            = -0.693147
	wantScores(t, r, q, 0.091914+0.262364+2.174205-0.346574, -0.309947-1.203973-0.693147)
	if got := r.Top(q); !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("the ranking is %v", got)
	}
}
