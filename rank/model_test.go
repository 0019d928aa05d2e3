package rank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tipoff"
)

// follow lets bettors bet by a rule, and the model learn from each bet before the
// world knows of it.
func follow(w *world, m *Model, bets int, rule func(*rand.Rand) (user, event string)) {
	r, s := rand.New(rand.NewPCG(7, 7)), new(Scratch)
	for i := range bets {
		user, event := rule(r)
		now := noon.Add(time.Duration(i) * time.Minute)
		m.Learn(w.index, &Question{Query: tipoff.Query{UserID: user}, Now: now}, []uint64{tipoff.EventRef(event)}, s)
		w.bet(user, now, event)
	}
}

// contrary is a world whose bettors shun what is popular, which no plain ranker knows.
func contrary() (*world, func(*rand.Rand) (string, string)) {
	w := newWorld()
	for i := range 100 {
		w.post(event(fmt.Sprint("e", i), "A", noon.AddDate(1, 0, 0)))
	}
	return w, func(r *rand.Rand) (string, string) {
		least, id := uint64(1<<63), ""
		for range 60 {
			e := fmt.Sprint("e", r.IntN(100))
			if legs := w.fixture(e).LegCount; legs < least {
				least, id = legs, e
			}
		}
		return fmt.Sprint("u", r.IntN(400)), id
	}
}

func TestModel_LearnsWhatNoPlainRankerKnows(t *testing.T) {
	w, rule := contrary()
	m := NewModel()
	if m.Leader() != rankerBlend {
		t.Errorf("before anything is learnt %s leads", ComparedRankers[m.Leader()])
	}
	follow(w, m, 800, rule)
	leader := m.Leader()
	if leader != rankerNet && leader != rankerLinear {
		t.Errorf("%s leads: %+v", ComparedRankers[leader], m.Quality)
	}
	if learnt, plain := m.Quality[leader].NDCG(), m.Quality[rankerByPopularity].NDCG(); learnt < 2*plain {
		t.Errorf("NDCG@10 is %.3f, by popularity %.3f", learnt, plain)
	}
}

func TestModel_APlainRankerLeadsWhereLearningWentWrong(t *testing.T) {
	w, _ := contrary()
	m := NewModel()
	for t := range m.Weights { // as a fault would leave it: wrong, and too slow to change
		for c := range m.Weights[t] {
			m.Weights[t][c], m.squares[t][c] = -1, 1e12
		}
	}
	for h := range m.net.in {
		m.net.outSquares[h] = 1e12
	}
	follow(w, m, 800, func(r *rand.Rand) (string, string) { // some events are loved by all
		return fmt.Sprint("u", r.IntN(400)), fmt.Sprint("e", r.IntN(10)*r.IntN(10))
	})
	if leader := m.Leader(); leader < rankerBlend || m.Quality[leader].NDCG() < 2*m.Quality[rankerLinear].NDCG() {
		t.Errorf("%s leads: %+v", ComparedRankers[leader], m.Quality)
	}
}

func TestModel_TheSameStreamTeachesTheSame(t *testing.T) {
	var models [2]*Model
	for i := range models {
		w, rule := contrary()
		models[i] = NewModel()
		follow(w, models[i], 300, rule)
	}
	if diff := cmp.Diff(models[0].Marshal(), models[1].Marshal()); diff != "" {
		t.Error(diff)
	}
}

func TestModel_ComesThroughTheTable(t *testing.T) {
	w, rule := contrary()
	m := NewModel()
	follow(w, m, 300, rule)
	value := m.Marshal()
	again, err := UnmarshalModel(value)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(value, again.Marshal()); diff != "" || again.Steps != 300 {
		t.Errorf("%d steps: %s", again.Steps, diff)
	}
	for cut := range 64 {
		if _, err := UnmarshalModel(value[:len(value)-1-cut*len(value)/64]); err == nil {
			t.Fatalf("a value cut by %d parts of 64 was read", cut)
		}
	}
	if len(value) > 64<<10 { // of a hundred events of one league
		t.Errorf("a model takes %d bytes", len(value))
	}
}

func TestLeader_IsNotWhoeverHadLuck(t *testing.T) {
	m := NewModel()
	m.Quality[rankerBlend] = Quality{Sum: 12, Weight: 60}
	m.Quality[rankerLinear] = Quality{Sum: 14, Weight: 60, Squares: 8} // better by .033, give or take .047
	m.Quality[rankerByPopularity] = Quality{Sum: 1, Weight: 1, Squares: 1}
	if leader := m.Leader(); leader != rankerBlend {
		t.Errorf("%s leads by chance", ComparedRankers[leader])
	}
	m.Quality[rankerLinear] = Quality{Sum: 140, Weight: 600, Squares: 80} // give or take .015
	m.Quality[rankerBlend] = Quality{Sum: 120, Weight: 600}
	if leader := m.Leader(); leader != rankerLinear {
		t.Errorf("%s leads, linear has earned it", ComparedRankers[leader])
	}
}

func TestModel_WhatIsNoNumberIsNotRead(t *testing.T) {
	for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		m := NewModel()
		m.Weights[3][1] = v
		if _, err := UnmarshalModel(m.Marshal()); err == nil {
			t.Errorf("a weight of %v was read", v)
		}
	}
	w, rule := contrary()
	m := NewModel()
	m.Weights[3][0] = float32(math.NaN())
	follow(w, m, 400, rule)
	if leader := m.Leader(); leader == rankerNet || leader == rankerLinear {
		t.Errorf("%s leads: %+v", ComparedRankers[leader], m.Quality)
	}
}
