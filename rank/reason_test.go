package rank

import (
	"fmt"
	"math"
	"testing"
	"time"

	"tipoff"
	"tipoff/state"
)

// TestRank_TheReasonIsTheLargestPositiveTerm recomputes the score of each event and
// the parts that it is made of, before anything was learnt and after.
func TestRank_TheReasonIsTheLargestPositiveTerm(t *testing.T) {
	w := randomWorld(2, 400)
	w.user("cold", "country 1")
	codes := map[string]int{}
	for _, model := range []*Model{nil, taught(w, 300)} {
		for user, b := range w.bettors {
			q := &Question{Query: tipoff.Query{UserID: user, N: 100}, Now: w.now, Model: model}
			list := w.index.Rank(q, new(Scratch))
			s := new(Scratch)
			s.reset(len(w.index.categories), len(w.index.entries))
			r := &s.ranking
			r.begin(w.index, q, s)
			useNet := r.chooseWeights()
			all := make([]parts, len(list))
			var average parts
			var bets, soon float64
			for i, a := range list {
				var terms [Terms]float32
				r.fill(w.index.slots[tipoff.EventRef(a.Event.ID)], &terms)
				for term, v := range terms {
					all[i][partOf[term]] += r.weights[term] * v
				}
				if n := min(len(list), netDepth); i < n {
					for _, k := range []int{partPopular, partSoon, partNew} {
						average[k] += all[i][k] / float32(n)
					}
					f := w.fixture(a.Event.ID)
					bets += f.Popularity.Value(w.now.Unix(), state.PopularityHalfLife) / float64(n)
					soon += a.Event.Begin.Sub(w.now).Hours() / float64(n)
				}
			}
			for i, a := range list {
				sum, chosen := 0.0, float32(0)
				for k := range average {
					all[i][k] -= average[k]
					sum += float64(all[i][k])
					if codeOf[k] == a.Reason.Code {
						chosen = max(0, all[i][k])
					}
				}
				if !useNet && math.Abs(sum-a.Score) > 1e-3 {
					t.Errorf("%s, %s: the score is %v, its parts are %v", user, a.Event.ID, a.Score, sum)
				}
				codes[a.Reason.Code]++
				if wrong := w.untrue(b, &a, bets, soon); wrong != "" {
					t.Errorf("%s, %s: %+v is not true: %s", user, a.Event.ID, a.Reason, wrong)
				}
				for k, v := range all[i] {
					if v <= chosen+1e-4 {
						continue
					}
					why, isTrue := r.words(k, w.index.slots[tipoff.EventRef(a.Event.ID)], &usual{parts: average, soon: soon, bets: bets, isSum: true})
					if isTrue && v > leastReason {
						t.Errorf("%s, %s: the reason is %+v (%v), but %+v is %v", user, a.Event.ID, a.Reason, chosen, why, v)
					}
				}
			}
		}
	}
	if len(codes) < 5 {
		t.Errorf("the test saw few reasons: %v", codes)
	}
}

// untrue says why the words of a reason are not true of the event; "" where they are.
// bets and soon are the averages of the best events.
func (w *world) untrue(b *state.Bettor, a *tipoff.Item, bets, soon float64) string {
	f := w.fixture(a.Event.ID)
	now := w.now.Unix()
	chosen := func(list []state.Affinity, name uint32) bool { // more than everyone does
		all, everyone := 0.0, 0.0
		for _, other := range w.bettors {
			fade := state.Decay(now-other.At, state.TasteHalfLife)
			everyone += other.Weight * fade
			kinds := [][]state.Affinity{other.Sports, other.Leagues, other.Teams}
			for _, kind := range kinds {
				all += weightOf(kind, name) * fade
			}
		}
		return weightOf(list, name)/b.Weight > all/everyone-1e-6
	}
	switch a.Reason.Code {
	case tipoff.ReasonTeam:
		if !chosen(b.Teams, state.Name(a.Event.Sport, a.Reason.Entity)) {
			return "others choose the team as much"
		}
	case tipoff.ReasonLeague:
		if !chosen(b.Leagues, state.Name(a.Event.Sport, a.Event.League)) {
			return "others choose the league as much"
		}
	case tipoff.ReasonSport:
		if !chosen(b.Sports, state.Name(a.Event.Sport)) {
			return "others choose the sport as much"
		}
	case tipoff.ReasonPopular:
		if f.Popularity.Value(now, state.PopularityHalfLife) <= bets {
			return "others have more bets"
		}
	case tipoff.ReasonSoon:
		if hours := a.Event.Begin.Sub(w.now).Hours(); hours > 48 || hours >= soon {
			return fmt.Sprintf("it begins in %.1f hours, others in %.1f", hours, soon)
		}
	case tipoff.ReasonNewFixture:
		if f.LegCount > 0 && (f.LegCount >= 10 || now-f.FirstBet > 86400) {
			return "it is old"
		}
	case tipoff.ReasonCoBet:
		if a.Reason.Entity == "" {
			return "no event is named"
		}
	}
	return ""
}

func TestReason_SaysNothingUntrueWhereTheWeightsAreUnusual(t *testing.T) {
	w := newWorld()
	for i := range 40 {
		w.post(event(fmt.Sprint("e", i), "A", noon.Add(time.Duration(i+1)*24*time.Hour)))
		for k := range i {
			w.bet(fmt.Sprint("fan", k), noon.Add(-48*time.Hour), fmt.Sprint("e", i))
		}
	}
	w.now = noon
	w.bet("u", noon, "e0")
	m := NewModel()
	m.Quality[rankerLinear] = Quality{Sum: 50, Weight: 100} // leads
	for t := range m.Weights {
		m.Weights[t] = [Contexts]float32{}
	}
	m.Weights[termSoon6][contextAlways] = 2   // the later the better
	m.Weights[termPop6h][contextAlways] = -2  // the fewer bets the better
	m.Weights[termLeague][contextAlways] = -2 // what the bettor avoids
	for _, a := range w.index.Rank(&Question{Query: tipoff.Query{UserID: "u", N: 10}, Now: noon, Model: m}, new(Scratch)) {
		if a.Reason.Code != tipoff.ReasonOpen {
			t.Errorf("%s in %v: %+v", a.Event.ID, a.Event.Begin.Sub(noon), a.Reason)
		}
	}
}

// codeOf is the code by which a reason names each part of a score.
var codeOf = [partCount]string{
	partTeam: tipoff.ReasonTeam, partLeague: tipoff.ReasonLeague, partSport: tipoff.ReasonSport, partPairs: tipoff.ReasonCoBet,
	partCountry: tipoff.ReasonCountry, partPopular: tipoff.ReasonPopular, partSoon: tipoff.ReasonSoon, partNew: tipoff.ReasonNewFixture,
}
