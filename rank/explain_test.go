package rank

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tipoff"
)

// models are ways to rank by what was learnt: with each of the stages in the lead.
func models(w *world) []*Model {
	two, linear := taught(w, 200), taught(w, 100)
	two.Quality = [rankerCount]Quality{rankerNet: {Sum: 50, Weight: 100}}
	linear.Quality = [rankerCount]Quality{rankerLinear: {Sum: 50, Weight: 100}}
	return []*Model{nil, two, linear, NewModel()}
}

func checkSum(t *testing.T, e *tipoff.Explanation) {
	t.Helper()
	sum := 0.0
	for i, term := range e.Terms {
		sum += term.Contribution
		if term.Contribution != term.Value*term.Weight || term.Contribution == 0 || term.Words == "" || strings.ContainsAny(term.Words, "{}") {
			t.Errorf("%+v: the contribution is not value times weight, or it has no words", term)
		}
		if i > 0 && math.Abs(term.Contribution) > math.Abs(e.Terms[i-1].Contribution) {
			t.Errorf("%s stands behind a smaller one", term.Name)
		}
		if term.Name == nameRounding && math.Abs(term.Contribution) > 6e-5 {
			t.Errorf("rounding is %g: something is missing", term.Contribution)
		}
	}
	if !(math.Abs(sum-e.Score) <= 1e-9) {
		t.Errorf("the contributions add up to %.12f, the score is %.12f", sum, e.Score)
	}
}

// TestExplain_AddsUpToTheVeryScoreThatIsShown asks of thousands of worlds and questions.
func TestExplain_AddsUpToTheVeryScoreThatIsShown(t *testing.T) {
	worlds := uint64(2000)
	if testing.Short() {
		worlds = 200
	}
	known, s, seen := models(randomWorld(1, 600)), new(Scratch), map[string]int{}
	for seed := range worlds {
		w, r := randomWorld(seed, 5+int(seed%80)), rand.New(rand.NewPCG(seed, 2))
		if seed%3 == 0 { // a company of whose crowd much is believed
			w.index.bets += 5000
		}
		q := &Question{
			Query:  tipoff.Query{UserID: fmt.Sprint("u", r.IntN(14)), N: 1 + r.IntN(30), Diversity: []float64{0, 0.1, 0.6}[r.IntN(3)]},
			Now:    noon.Add(time.Duration(r.IntN(3000)) * time.Second),
			Ranker: append(tipoff.Rankers(), "")[r.IntN(6)], Model: known[r.IntN(len(known))], Whole: r.IntN(2) == 0,
		}
		if r.IntN(4) == 0 {
			q.MaxPerLeague = 1 + r.IntN(3)
		}
		items := w.index.Rank(q, s)
		for i, item := range items {
			if r.IntN(len(items)) >= 5 {
				continue
			}
			e, err := w.index.Explain(q, item.Event.ID, s)
			if err != nil {
				t.Fatalf("world %d, %+v: %v", seed, q, err)
			}
			if e.Score != item.Score || *e.Reason != item.Reason || e.Rank == nil || *e.Rank != i+1 || e.Event != item.Event {
				t.Errorf("world %d, %+v: place %d of %s, %v for %v; explained %v, %v for %v", seed, q, i+1, item.Event.ID, item.Score, item.Reason, e.Rank, e.Score, *e.Reason)
			}
			checkSum(t, &e)
			for _, term := range e.Terms {
				seen[term.Name]++
			}
		}
		for range 2 {
			if open := w.index.open; len(open) > 0 {
				explainOther(t, w, q, open[r.IntN(len(open))], items, s)
			}
		}
	}
	for _, name := range []string{nameOwnSport, nameOwnLeague, nameSecondStage, nameBehindSecond, nameRounding, nameUsual + "popular", "lift of league", "taste", "pairs, similarity"} {
		if seen[name] == 0 && (name != nameBehindSecond || worlds > 200) {
			t.Errorf("no score had the term %q", name)
		}
	}
}

// explainOther wants of an open event that is not in the list an explanation that says
// so, or a refusal where it could be in no list.
func explainOther(t *testing.T, w *world, q *Question, slot int32, items []tipoff.Item, s *Scratch) {
	t.Helper()
	event := &w.index.entries[slot].event.Event
	if slices.ContainsFunc(items, func(i tipoff.Item) bool { return i.Event.ID == event.ID }) {
		return
	}
	e, err := w.index.Explain(q, event.ID, s)
	switch {
	case !event.Open(q.Now):
		if !errors.Is(err, tipoff.ErrNotFound) {
			t.Errorf("%s is not open: %v", event.ID, err)
		}
	case errors.Is(err, tipoff.ErrConflict):
		if bet := strings.Contains(err.Error(), "has bet on this event"); !bet && q.Ranker != RankerSimilar {
			t.Errorf("%s: %v", event.ID, err)
		}
	case err != nil:
		t.Errorf("%s: %v", event.ID, err)
	default:
		if e.Rank != nil && *e.Rank <= len(items) {
			t.Errorf("%s is not in the list, but explained as number %d", event.ID, *e.Rank)
		}
		checkSum(t, &e)
	}
}

func TestExplain_SaysWhyAnEventCannotBeRecommended(t *testing.T) {
	w := newWorld()
	for _, id := range []string{"a", "b", "c", "suspended"} {
		w.post(event(id, "L", noon.Add(time.Hour)))
	}
	w.post(event("begun", "L", noon.Add(-time.Minute)))
	golf := event("golf", "G", noon.Add(time.Hour))
	golf.Sport = "Golf"
	w.post(golf)
	w.patch("suspended", tipoff.EventPatch{Status: tipoff.StatusSuspended})
	w.bet("u", noon, "a")
	for _, c := range []struct {
		event string
		query tipoff.Query
		kind  error
		part  string
	}{
		{"unknown", tipoff.Query{}, tipoff.ErrNotFound, "not found"},
		{"begun", tipoff.Query{}, tipoff.ErrNotFound, "has begun"},
		{"suspended", tipoff.Query{}, tipoff.ErrNotFound, "status is suspended"},
		{"a", tipoff.Query{}, tipoff.ErrConflict, "has bet on"},
		{"b", tipoff.Query{Exclude: []string{"b"}}, tipoff.ErrConflict, "exclude"},
		{"b", tipoff.Query{Sport: "Golf"}, tipoff.ErrConflict, "filters"},
		{"golf", tipoff.Query{Followed: true}, tipoff.ErrConflict, "scenario"},
		{"golf", tipoff.Query{Ranker: RankerSimilar}, tipoff.ErrConflict, "similar"},
		{"golf", tipoff.Query{}, nil, ""},
	} {
		c.query.UserID, c.query.N = "u", 5
		_, err := w.index.Explain(&Question{Query: c.query, Now: noon, Ranker: c.query.Ranker}, c.event, new(Scratch))
		if !errors.Is(err, c.kind) || err != nil && !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s, %+v: %v, want %v with %q", c.event, c.query, err, c.kind, c.part)
		}
	}
}

// TestExplain_OfManyEvents_FindsThoseThatNoListShows: events that are not retrieved have a
// score all the same.
func TestExplain_OfManyEvents_FindsThoseThatNoListShows(t *testing.T) {
	w, m := bigWorld(1000)
	q := &Question{Query: tipoff.Query{UserID: "u1", N: 10, Diversity: tipoff.DefaultVariety}, Now: noon, Model: m}
	s, ranked, unranked := new(Scratch), 0, 0
	for i := range 200 {
		e, err := w.index.Explain(q, fmt.Sprint("e", i*5), s)
		if errors.Is(err, tipoff.ErrConflict) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		checkSum(t, &e)
		if e.Rank == nil {
			unranked++
		} else {
			ranked++
		}
	}
	if ranked == 0 || unranked == 0 {
		t.Errorf("%d ranked, %d not", ranked, unranked)
	}
}
