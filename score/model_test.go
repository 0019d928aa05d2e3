package score

import (
	"fmt"
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
		m.Learn(w.index, &Question{Bettor: w.bettors[user], Now: now}, []uint64{tipoff.EventRef(event)}, s)
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

func TestRank_RetrievalFillsTheAnswerWhateverTheFilter(t *testing.T) {
	w, m := bigWorld(600)
	for _, filter := range []func(*tipoff.Query){
		func(q *tipoff.Query) {},
		func(q *tipoff.Query) { q.League = "L49" },
		func(q *tipoff.Query) { q.MaxPerLeague = 1 },
		func(q *tipoff.Query) { q.Within = 3 * time.Hour },
	} {
		q := &Question{Query: tipoff.Query{UserID: "u1", N: 10}, Bettor: w.bettors["u1"], Now: noon, Model: m}
		filter(&q.Query)
		some := w.index.Rank(q, new(Scratch))
		q.Whole = true
		if all := w.index.Rank(q, new(Scratch)); len(some) != len(all) || len(all) == 0 {
			t.Errorf("%+v: %d events, of all open ones %d", q.Query, len(some), len(all))
		}
	}
}

func TestRefresh_ChangesNoAnswer(t *testing.T) {
	w, m := bigWorld(600)
	for i := range 20 {
		now := noon.Add(time.Duration(i) * 3 * time.Second)
		q := &Question{Query: tipoff.Query{UserID: fmt.Sprint("u", i), N: 10}, Bettor: w.bettors[fmt.Sprint("u", i)], Now: now, Model: m}
		before := w.index.Rank(q, new(Scratch))
		w.index.Refresh(now)
		if diff := cmp.Diff(before, w.index.Rank(q, new(Scratch))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRank_ServesByEachRanker(t *testing.T) {
	w := newWorld()
	for i := range 8 {
		w.post(event(fmt.Sprint("a", i), "A", noon.Add(24*time.Hour)))
		e := event(fmt.Sprint("b", i), "B", noon.Add(24*time.Hour))
		e.Sport, e.Participants = "Golf", []string{"Eve", "Flo"}
		w.post(e)
	}
	w.bet("u", noon, "a0")
	for i := range 10 {
		w.bet(fmt.Sprint("v", i), noon, "a0")
		w.bet(fmt.Sprint("v", i), noon.Add(time.Minute), "b1") // a pair with a0
	}
	for i := range 30 {
		w.bet(fmt.Sprint("w", i), noon, "b2")
	}
	for ranker, want := range map[string]string{RankerPopular: "b2", RankerCF: "b1", RankerTipoff: "a1"} {
		got := w.index.Rank(&Question{Query: tipoff.Query{UserID: "u", N: 3}, Bettor: w.bettors["u"], Now: noon, Ranker: ranker}, new(Scratch))
		if got[0].Event.ID != want {
			t.Errorf("%s: %v, want %s first", ranker, ids(got), want)
		}
	}
	similar := &Question{Query: tipoff.Query{UserID: "u", N: 20}, Bettor: w.bettors["u"], Now: noon, Ranker: RankerSimilar}
	got := w.index.Rank(similar, new(Scratch))
	for _, r := range got {
		if r.Event.Sport == "Golf" {
			t.Errorf("similar: %s is of a sport never bet on", r.Event.ID)
		}
	}
	if len(got) != 7 || !cmp.Equal(got, w.index.Rank(similar, new(Scratch))) {
		t.Errorf("similar: %v, or another list when asked again", ids(got))
	}
}

func TestRank_NearEqualsTakeTurnsByTheHour(t *testing.T) {
	w := newWorld()
	for i := range 30 {
		w.post(event(fmt.Sprint("e", i), fmt.Sprint("L", i), noon.AddDate(0, 1, 0)))
	}
	for i := range 10 {
		w.bet(fmt.Sprint("v", i), noon, "e7")
	}
	list := func(user string, now time.Time) []string {
		q := &Question{Query: tipoff.Query{UserID: user, N: 5, Diversity: 0.1}, Now: now}
		return ids(w.index.Rank(q, new(Scratch)))
	}
	first := list("u", noon)
	if first[0] != "e7" {
		t.Errorf("%v: the best does not stand first", first)
	}
	if again := list("u", noon.Add(59*time.Minute)); !cmp.Equal(first, again) {
		t.Errorf("within the hour %v became %v", first, again)
	}
	if cmp.Equal(first, list("u", noon.Add(time.Hour))) || cmp.Equal(first, list("someone else", noon)) {
		t.Errorf("%v is shown to all, at any hour", first)
	}
}

func TestRank_AllocatesTheAnswerAlone(t *testing.T) {
	w, m := bigWorld(1000)
	s := new(Scratch)
	q := &Question{Query: tipoff.Query{UserID: "u1", N: 10, Diversity: 0.1}, Bettor: w.bettors["u1"], Now: noon, Model: m}
	if allocations := testing.AllocsPerRun(50, func() { w.index.Rank(q, s) }); allocations > 3 {
		t.Errorf("%v allocations a question", allocations)
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
