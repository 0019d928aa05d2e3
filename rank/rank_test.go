package rank

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tipoff"
)

func TestRank_PrefersWhatTheBettorBetsOn(t *testing.T) {
	w := newWorld()
	for i := range 10 {
		w.post(event(fmt.Sprint("a", i), "A", noon.Add(24*time.Hour)))
		w.post(event(fmt.Sprint("b", i), "B", noon.Add(24*time.Hour)))
	}
	for i := range 5 {
		w.bet("fan", noon, fmt.Sprint("b", i))
	}
	for i := range 10 { // all are as popular as any other
		w.bet("a fan", noon, fmt.Sprint("a", i))
		w.bet("b fan", noon, fmt.Sprint("b", i))
	}
	got := w.ask("fan", func(q *tipoff.Query) { q.N = 5 })
	want := []string{"b5", "b6", "b7", "b8", "b9"}
	if !slices.Equal(slices.Sorted(slices.Values(ids(got))), want) {
		t.Errorf("recommended %v, want %v", ids(got), want)
	}
}

func TestRank_ForgetsOldInterests(t *testing.T) {
	w := newWorld()
	for i := range 6 {
		w.post(event(fmt.Sprint("a", i), "A", noon.Add(24*time.Hour)))
		w.post(event(fmt.Sprint("b", i), "B", noon.Add(24*time.Hour)))
	}
	for i := range 5 {
		w.bet("u", noon.AddDate(-1, 0, 0), fmt.Sprint("a", i))
	}
	for i := range 2 {
		w.bet("u", noon, fmt.Sprint("b", i))
	}
	w.bet("v", noon, "a0")
	if got := ids(w.ask("u")); got[0][0] != 'b' {
		t.Errorf("recommended %v: a year ago weighs more than today", got)
	}
}

func TestRank_NeverShowsWhatCannotBeBetOn(t *testing.T) {
	w := newWorld()
	for _, id := range []string{"open", "suspended", "cancelled", "finished", "mine", "mine-unresolved", "begins"} {
		w.post(event(id, "A", noon.Add(time.Hour)))
	}
	w.bet("u", noon, "mine")
	w.bet("u", noon, "later-posted")
	w.post(event("later-posted", "A", noon.Add(time.Hour)))
	for _, status := range []string{tipoff.StatusSuspended, tipoff.StatusCancelled, tipoff.StatusFinished} {
		w.patch(status, tipoff.EventPatch{Status: status})
	}
	w.patch("begins", tipoff.EventPatch{Begin: noon.Add(time.Minute)})
	if got := ids(w.ask("u")); !slices.Equal(got, []string{"begins", "mine-unresolved", "open"}) {
		t.Errorf("recommended %v", got)
	}
	w.now = noon.Add(time.Minute) // it begins at this very moment; nothing tells the index
	if got := ids(w.ask("u")); !slices.Equal(got, []string{"mine-unresolved", "open"}) {
		t.Errorf("at the beginning: recommended %v", got)
	}
	w.patch("suspended", tipoff.EventPatch{Status: tipoff.StatusOpen})
	w.index.Begin(w.now)
	if got := ids(w.ask("u")); !slices.Contains(got, "suspended") {
		t.Errorf("opened again: recommended %v", got)
	}
	w.index.RemoveFixture(tipoff.EventRef("open"))
	if got := ids(w.ask("u")); slices.Contains(got, "open") {
		t.Errorf("removed: recommended %v", got)
	}
}

func TestRank_ColdStartGoesByCountryThenOverall(t *testing.T) {
	w := newWorld()
	for _, id := range []string{"home", "world", "nobody"} {
		w.post(event(id, "L "+id, noon.Add(time.Hour)))
	}
	for i := range 20 {
		w.user(fmt.Sprint("w", i), "World")
		w.bet(fmt.Sprint("w", i), noon, "world")
	}
	for i := range 5 {
		w.bet(fmt.Sprint("h", i), noon, "home")
		w.user(fmt.Sprint("h", i), "Home") // posted after betting: it counts all the same
	}
	w.user("newcomer", "home ")
	got := w.ask("newcomer")
	if !slices.Equal(ids(got), []string{"home", "world", "nobody"}) || got[0].Reason.Code != tipoff.ReasonCountry {
		t.Errorf("in the country: %v, %+v", ids(got), got[0].Reason)
	}
	w.user("stranger", "Elsewhere")
	for _, user := range []string{"stranger", "never heard of"} {
		got := w.ask(user)
		if !slices.Equal(ids(got), []string{"world", "home", "nobody"}) || got[0].Reason.Code != tipoff.ReasonPopular {
			t.Errorf("%s: %v, %+v", user, ids(got), got[0].Reason)
		}
	}
}

func TestRank_FollowsWhatOthersBetOnTogether(t *testing.T) {
	w := newWorld()
	for i := range 8 {
		w.post(event(fmt.Sprint("e", i), fmt.Sprint("L", i), noon.Add(24*time.Hour)))
	}
	for i := range 10 {
		user := fmt.Sprint("u", i)
		w.bet(user, noon, "e1")
		w.bet(user, noon.Add(time.Minute), "e2") // after e1
		w.bet(user, noon.Add(2*time.Minute), "e3")
		w.bet(fmt.Sprint("v", i), noon, fmt.Sprint("e", 4+i%4))
	}
	w.bet("me", noon, "e2")
	got := w.ask("me")
	if top := ids(got)[:2]; !slices.Contains(top, "e1") || !slices.Contains(top, "e3") {
		t.Errorf("recommended %v, want e1 and e3 first", ids(got))
	}
	if got[0].Reason.Code != tipoff.ReasonCoBet || got[0].Reason.Entity != "e2" {
		t.Errorf("reason = %+v", got[0].Reason)
	}
}

func TestRank_Filters(t *testing.T) {
	w := newWorld()
	for i := range 30 {
		e := event(fmt.Sprintf("e%02d", i), fmt.Sprint("League ", i%3), noon.Add(time.Duration(i+1)*time.Hour))
		e.Sport = []string{"Tennis", "Golf"}[i%2]
		e.Country = []string{"USA", "Peru", "Mali"}[i%3]
		w.post(e)
	}
	for name, c := range map[string]struct {
		filter func(*tipoff.Query)
		passes func(*tipoff.Event) bool
		want   int
	}{
		"sport":      {func(q *tipoff.Query) { q.Sport = "TENNIS" }, func(e *tipoff.Event) bool { return e.Sport == "Tennis" }, 15},
		"league":     {func(q *tipoff.Query) { q.League = "league 1" }, func(e *tipoff.Event) bool { return e.League == "League 1" }, 10},
		"country":    {func(q *tipoff.Query) { q.Country = "peru" }, func(e *tipoff.Event) bool { return e.Country == "Peru" }, 10},
		"within":     {func(q *tipoff.Query) { q.Within = 5 * time.Hour }, func(e *tipoff.Event) bool { return !e.Begin.After(noon.Add(5 * time.Hour)) }, 5},
		"exclude":    {func(q *tipoff.Query) { q.Exclude = []string{"e00", "e01"} }, func(e *tipoff.Event) bool { return e.ID > "e01" }, 28},
		"n":          {func(q *tipoff.Query) { q.N = 3 }, func(*tipoff.Event) bool { return true }, 3},
		"league cap": {func(q *tipoff.Query) { q.MaxPerLeague = 2; q.N = 6 }, func(*tipoff.Event) bool { return true }, 6},
	} {
		got := w.ask("u", func(q *tipoff.Query) { q.N = 100 }, c.filter)
		if len(got) != c.want {
			t.Errorf("%s: %d events, want %d", name, len(got), c.want)
		}
		for _, r := range got {
			if !c.passes(&r.Event.Event) {
				t.Errorf("%s: let %+v pass", name, r.Event)
			}
		}
	}
	capped := w.ask("u", func(q *tipoff.Query) { q.MaxPerLeague, q.N = 1, 10 })
	if len(capped) != 6 { // 2 sports x 3 leagues
		t.Errorf("one a league: %v", ids(capped))
	}
}

func TestRank_FollowedMeansSportOrLeague(t *testing.T) {
	w := newWorld()
	for i, sport := range []string{"Tennis", "Tennis", "Golf"} {
		e := event(fmt.Sprint("e", i), fmt.Sprint("L", i), noon.Add(time.Hour))
		e.Sport = sport
		w.post(e)
	}
	w.bet("u", noon, "e0")
	if got := ids(w.ask("u", func(q *tipoff.Query) { q.Followed = true })); !slices.Equal(got, []string{"e1"}) {
		t.Errorf("followed: %v", got)
	}
}

func TestRank_IsDeterministic(t *testing.T) {
	w := randomWorld(3, 300)
	scratch := new(Scratch)
	for user := range w.bettors {
		q := &Question{Query: tipoff.Query{UserID: user, N: 10, Diversity: 0.2}, Now: w.now}
		first := w.index.Rank(q, scratch)
		if diff := cmp.Diff(first, w.index.Rank(q, scratch)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestRank_ScoresAreSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := randomWorld(rapid.Uint64().Draw(t, "seed"), 50)
		n := rapid.IntRange(1, 30).Draw(t, "n")
		all := w.ask("u1", func(q *tipoff.Query) { q.N = 1000 })
		some := w.ask("u1", func(q *tipoff.Query) { q.N = n })
		for i := 1; i < len(all); i++ {
			if all[i].Score > all[i-1].Score+1e-5 {
				t.Fatalf("score %v stands after %v", all[i].Score, all[i-1].Score)
			}
		}
		if !slices.Equal(ids(some), ids(all)[:len(some)]) {
			t.Fatalf("the best %d are %v, of all %v", n, ids(some), ids(all))
		}
	})
}

func TestRank_RetrievalFillsTheAnswerWhateverTheFilter(t *testing.T) {
	w, m := bigWorld(600)
	for _, filter := range []func(*tipoff.Query){
		func(q *tipoff.Query) {},
		func(q *tipoff.Query) { q.League = "L49" },
		func(q *tipoff.Query) { q.MaxPerLeague = 1 },
		func(q *tipoff.Query) { q.Within = 3 * time.Hour },
	} {
		q := &Question{Query: tipoff.Query{UserID: "u1", N: 10}, Now: noon, Model: m}
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
		q := &Question{Query: tipoff.Query{UserID: fmt.Sprint("u", i), N: 10}, Now: now, Model: m}
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
		got := w.index.Rank(&Question{Query: tipoff.Query{UserID: "u", N: 3}, Now: noon, Ranker: ranker}, new(Scratch))
		if got[0].Event.ID != want {
			t.Errorf("%s: %v, want %s first", ranker, ids(got), want)
		}
	}
	similar := &Question{Query: tipoff.Query{UserID: "u", N: 20}, Now: noon, Ranker: RankerSimilar}
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

func TestRank_AllocatesTheAnswerAlone(t *testing.T) {
	w, m := bigWorld(1000)
	s := new(Scratch)
	q := &Question{Query: tipoff.Query{UserID: "u1", N: 10, Diversity: 0.1}, Now: noon, Model: m}
	if allocations := testing.AllocsPerRun(50, func() { w.index.Rank(q, s) }); allocations > 3 {
		t.Errorf("%v allocations a question", allocations)
	}
}
