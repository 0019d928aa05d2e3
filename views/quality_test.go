package views

import (
	"fmt"
	"math"
	"testing"
	"time"

	"tipoff"
	"tipoff/rank"
)

// TestQuality_SaysWhatWasShown of late, and not what was compared.
func TestQuality_SaysWhatWasShown(t *testing.T) {
	v := New()
	for i := range 4 {
		put(t, v.PutFixture(fmt.Sprint("default/e", i), chosen(fmt.Sprint("e", i), []string{"A", "B"}[i/3], i), noon))
	}
	v.Recommend("default", tipoff.Query{UserID: "u", N: 4, Ranker: tipoff.RankerPopular}, noon)
	if c := v.Quality("default", noon).Coverage; c != nil {
		t.Errorf("nothing was shown: %+v", c)
	}
	q := tipoff.Query{UserID: "u", N: 1, Exclude: []string{"e0"}}
	for i := range 3 {
		q.N = 1 + i%2
		v.Recommend("default", q, noon.Add(time.Duration(i)*time.Minute)) // e3, then e3 and e2, then e3
	}
	c := v.Quality("default", noon.Add(2*time.Minute)).Coverage
	if c == nil || c.Events != 0.5 || len(c.Leagues) != 2 {
		t.Fatalf("%+v", c)
	}
	if want := (tipoff.LeagueShowing{League: "B", Sport: "Tennis", Events: 1, Shown: 1, Share: 0.75}); c.Leagues[0] != want {
		t.Errorf("first league %+v, want %+v", c.Leagues[0], want)
	}
	if want := (tipoff.LeagueShowing{League: "A", Sport: "Tennis", Events: 3, Shown: 1, Share: 0.25}); c.Leagues[1] != want {
		t.Errorf("second league %+v, want %+v", c.Leagues[1], want)
	}
	if c.Gini != 0.625 { // of 0, 0, 1 and 3
		t.Errorf("gini %v, want 0.625", c.Gini)
	}
	put(t, v.PutFixture("default/e3", chosen("e3", "B", 9), noon))
	if again := v.Quality("default", noon.Add(2*time.Minute)).Coverage; again == nil || again.Gini != c.Gini {
		t.Errorf("after a bet: %+v, want %+v", again, c)
	}
	if c := v.Quality("default", noon.Add(30*time.Minute)).Coverage; c != nil {
		t.Errorf("half an hour later: %+v", c)
	}
	if c := v.Quality("other", noon).Coverage; c != nil {
		t.Errorf("of another company: %+v", c)
	}
}

// TestShow_OfABusyMinuteIsASampleThatCountsForAll: kept answers too.
func TestShow_OfABusyMinuteIsASampleThatCountsForAll(t *testing.T) {
	v := New()
	put(t, v.PutFixture("default/e", fixture("e", "A", noon.Add(time.Hour)), noon))
	const asked = 40_000
	for range asked {
		v.Recommend("default", tipoff.Query{UserID: "u", N: 1}, noon)
	}
	c := v.company("default")
	event := v.Recommend("default", tipoff.Query{UserID: "u", N: 1}, noon).Items[0].Event
	times := float64(event.Shown(uint32(noon.Unix() / 60)))
	// Of one in 16 the standard error is 16 * sqrt(40,000 / 16), some 800.
	if math.Abs(times-asked) > 6*800 {
		t.Errorf("counted %v, asked %d times", times, asked)
	}
	if taken := uint32(c.sampler.taken.Load()); taken != countedAll {
		t.Errorf("%d answers were all counted, want %d", taken, countedAll)
	}
}

func TestQuality_SaysWhatTheLearnerHasGradedAndLearnt(t *testing.T) {
	v, learnt := New(), rank.NewLearnt()
	if q := v.Quality("default", noon); q.Spans == nil || q.Weights == nil || q.LastHour != nil || q.Ranker != tipoff.RankerTipoff {
		t.Errorf("nothing is known: %+v", q)
	}
	for i := range 4 {
		g := rank.Grade{Targets: 1, HR: 1, NDCG: []float64{0.25, 0.75}[i%2], PopularHR: float64(i % 2), PopularNDCG: 0.125}
		learnt.Live.Add(g, noon.Add(time.Duration(i/2)*2*time.Hour).Unix())
	}
	learnt.Model.Weights[3][0], learnt.Model.Weights[5][0] = -9, 8
	put(t, v.PutModel("default/model", learnt.Marshal(), noon))
	learnt.Model.Weights[3][0] = -7
	put(t, v.PutModel("default/model", learnt.Marshal(), noon.Add(time.Minute)), v.PutModel("default/model", learnt.Marshal(), noon.Add(time.Minute+time.Second)))
	q := v.Quality("default", noon)
	if len(q.Spans) != 2 || !q.Spans[0].From.Equal(noon) || !q.Spans[1].From.Equal(noon.Add(2*time.Hour)) {
		t.Fatalf("spans %+v", q.Spans)
	}
	if len(q.Hours) != 2 || q.Hours[1].Coupons != 2 || !q.Hours[1].From.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("hours %+v", q.Hours)
	}
	if s := q.LastHour; s == nil || s.Coupons != 2 || s.NDCG != 0.5 || s.HR != 1 || *s.PopularNDCG != 0.125 || *s.PopularHR != 0.5 || math.Abs(s.Band[0]-0.01) > 1e-9 || math.Abs(s.Band[1]-0.99) > 1e-9 {
		t.Errorf("last hour %+v", s)
	}
	if s := q.LastDay; s == nil || s.Coupons != 4 || s.Band[0] < 0.2 || s.Band[1] > 0.8 {
		t.Errorf("last day %+v", s)
	}
	if len(q.Weights) != rank.Terms || q.Weights[0] != (tipoff.TermWeight{Term: rank.TermNames[5], Weight: 8}) || q.Weights[1].Weight != -7 {
		t.Errorf("weights %+v", q.Weights)
	}
	if w := q.WeightsOverTime; len(w) != 2 || !w[0].At.Equal(noon) || len(w[0].Weights) != movedTerms || w[0].Weights[rank.TermNames[3]] != -9 || w[1].Weights[rank.TermNames[3]] != -7 {
		t.Errorf("over time %+v", w)
	}
	put(t, v.PutModel("default/model", nil, noon))
	if q := v.Quality("default", noon); len(q.Weights) != 0 || len(q.WeightsOverTime) != 0 || q.LastHour != nil {
		t.Errorf("a model that is forgotten is still told of: %+v", q)
	}
}

func TestMovement_CoversADayInAFewPoints(t *testing.T) {
	var m movement
	for i := range 2 * 24 * 360 { // a model every ten seconds for two days
		m.add([rank.Terms]float32{float32(i)}, noon.Add(time.Duration(i)*10*time.Second))
		if len(m.points) > movementMost {
			t.Fatalf("%d points", len(m.points))
		}
		if i == 100 && len(m.points) != 101 {
			t.Errorf("%d points of the first 101 models", len(m.points))
		}
	}
	first, last := m.points[0], m.points[len(m.points)-1]
	if covered := last.at.Sub(first.at); covered < 23*time.Hour || covered > 25*time.Hour {
		t.Errorf("%d points cover %v", len(m.points), covered)
	}
	for i := range m.points[1:] {
		if apart := m.points[i+1].at.Sub(m.points[i].at); apart < 0 || apart > 10*time.Minute {
			t.Errorf("points %v apart", apart)
		}
	}
}

// BenchmarkShow is what counting adds to a lookup that is answered with a kept answer.
func BenchmarkShow(b *testing.B) {
	v := New()
	for i := range 100 {
		if err := v.PutFixture(fmt.Sprint("default/e", i), fixture(fmt.Sprint("e", i), "A", noon.Add(time.Hour)), noon); err != nil {
			b.Fatal(err)
		}
	}
	q := tipoff.Query{UserID: "u", N: 10}
	r, c := v.Recommend("default", q, noon), v.company("default")
	b.Run("counting", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.show(&r, noon)
		}
	})
	b.Run("kept answer with counting", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.Recommend("default", q, noon)
		}
	})
	q.Fresh = true
	b.Run("ranking with counting", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.Recommend("default", q, noon)
		}
	})
}
