package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tipoff"
)

// world is a company for tests: it lets facts take their way without topics.
type world struct {
	index    *Index
	bettors  map[string]*Bettor
	fixtures map[string]*Fixture
	offset   int64
	now      time.Time
}

func newWorld() *world {
	return &world{index: NewIndex(), bettors: map[string]*Bettor{}, fixtures: map[string]*Fixture{}, now: noon}
}

func (w *world) user(id, country string) {
	w.change(id, func(b *Bettor) {
		b.Post(tipoff.User{ID: id, Country: country}, w.next())
	})
}

func (w *world) next() Position {
	w.offset++
	return at(w.offset)
}

// change replaces a bettor's state as the table does: by a new value.
func (w *world) change(id string, change func(*Bettor)) {
	old := w.bettors[id]
	fresh := new(Bettor)
	if old != nil {
		fresh, _ = UnmarshalBettor(old.Marshal())
	}
	change(fresh)
	fresh.User.ID = id
	w.bettors[id] = fresh
	w.index.PutBettor(old, fresh)
}

func (w *world) post(e tipoff.Event) {
	f := w.fixture(e.ID)
	f.Post(e, w.next())
	w.put(e.ID, f)
}

func (w *world) patch(id string, p tipoff.EventPatch) {
	f := w.fixture(id)
	f.Change(p, w.next())
	w.put(id, f)
}

func (w *world) fixture(id string) *Fixture {
	if f := w.fixtures[id]; f != nil {
		fresh, _ := UnmarshalFixture(f.Marshal())
		return fresh
	}
	return new(Fixture)
}

func (w *world) put(id string, f *Fixture) {
	w.fixtures[id] = f
	w.index.PutFixture(tipoff.EventRef(id), f, w.now)
}

func (w *world) bet(user string, at time.Time, events ...string) {
	w.offset++
	c := bet(fmt.Sprint("c", w.offset), at, events...)
	c.UserID = user
	position := Position{7, w.offset}
	var legs []Leg
	w.change(user, func(b *Bettor) {
		b.AddCoupon(c, position, position, at.Unix())
		legs = b.LegsOf(c, Cause{Position: position}, at.Unix())
	})
	for i := range legs {
		f := w.fixture(legs[i].EventID)
		f.Count(&legs[i])
		w.put(legs[i].EventID, f)
		if f.Known {
			w.change(user, func(b *Bettor) { b.Apply(Resolve(&legs[i], f.Traits()), at.Unix()) })
		}
	}
}

func (w *world) ask(user string, change ...func(*tipoff.Query)) []Ranked {
	q := tipoff.Query{UserID: user, N: 10}
	for _, c := range change {
		c(&q)
	}
	return w.index.Rank(&Question{Query: q, Bettor: w.bettors[user], Now: w.now}, new(Scratch))
}

func ids(ranked []Ranked) []string {
	list := make([]string, len(ranked))
	for i, r := range ranked {
		list[i] = r.Event.ID
	}
	return list
}

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
			if !c.passes(r.Event) {
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

func TestRank_DiversityVariesTheSlateAndKeepsTheBest(t *testing.T) {
	w := newWorld()
	for i := range 10 {
		w.post(event(fmt.Sprint("a", i), "A", noon.Add(24*time.Hour)))
		w.post(event(fmt.Sprint("b", i), "B", noon.Add(24*time.Hour)))
	}
	for i := range 4 {
		w.bet("u", noon, fmt.Sprint("a", i))
	}
	w.bet("v", noon.AddDate(0, 0, -20), "b0")
	plain := w.ask("u", func(q *tipoff.Query) { q.N = 4 })
	varied := w.ask("u", func(q *tipoff.Query) { q.N = 4; q.Diversity = 0.8 })
	leagues := func(list []Ranked) map[string]bool {
		seen := map[string]bool{}
		for _, r := range list {
			seen[r.Event.League] = true
		}
		return seen
	}
	if len(leagues(plain)) != 1 || len(leagues(varied)) != 2 || plain[0].Score-varied[0].Score >= nearEqual {
		t.Errorf("plain %v, varied %v", ids(plain), ids(varied))
	}
}

// randomWorld lets many facts happen.
func randomWorld(seed uint64, bets int) *world {
	r := rand.New(rand.NewPCG(seed, 1))
	w := newWorld()
	for i := range 60 {
		e := event(fmt.Sprint("e", i), fmt.Sprint("L", i%7), noon.Add(time.Duration(r.IntN(100)-5)*time.Hour))
		e.Sport = []string{"Tennis", "Golf", "Polo"}[i%3]
		e.Participants = []string{fmt.Sprint("t", r.IntN(9)), fmt.Sprint("t", 9+r.IntN(9))}
		w.post(e)
	}
	for i := range bets {
		user := fmt.Sprint("u", r.IntN(12))
		w.bet(user, noon.Add(-time.Duration(r.IntN(1000))*time.Minute), fmt.Sprint("e", r.IntN(70)), fmt.Sprint("f", r.IntN(5)))
		switch i % 7 {
		case 0:
			w.user(user, fmt.Sprint("country ", r.IntN(3)))
		case 1:
			w.patch(fmt.Sprint("e", r.IntN(60)), tipoff.EventPatch{Status: []string{tipoff.StatusOpen, tipoff.StatusSuspended}[r.IntN(2)]})
		case 2:
			w.index.Begin(w.now)
		}
	}
	return w
}

func TestIndex_KeptCurrentIsTheSameAsBuiltAnew(t *testing.T) {
	for seed := range uint64(5) {
		w := randomWorld(seed, 400)
		anew := &world{index: NewIndex(), bettors: w.bettors, fixtures: w.fixtures, now: w.now}
		for _, b := range w.bettors {
			anew.index.PutBettor(nil, b)
		}
		for id, f := range w.fixtures {
			anew.index.PutFixture(tipoff.EventRef(id), f, w.now)
		}
		for user := range w.bettors {
			if diff := cmp.Diff(w.ask(user), anew.ask(user)); diff != "" {
				t.Errorf("seed %d, %s:\n%s", seed, user, diff)
			}
		}
		if diff := cmp.Diff(w.index.Popular("", "country 1", 20, w.now), anew.index.Popular("", "country 1", 20, w.now)); diff != "" {
			t.Errorf("seed %d:\n%s", seed, diff)
		}
	}
}

func TestIndex_GivesEverythingBack(t *testing.T) {
	w := randomWorld(1, 300)
	for _, b := range w.bettors {
		w.index.PutBettor(b, nil)
	}
	for id := range w.fixtures {
		w.index.RemoveFixture(tipoff.EventRef(id))
	}
	if all, open := w.index.Len(); all != 0 || open != 0 {
		t.Errorf("%d fixtures are left, %d open", all, open)
	}
	if left := math.Abs(w.index.crowd) / Decay(landmark-noon.Unix(), TasteHalfLife); left > 1e-9 {
		t.Errorf("the crowd's weight is %v bets", left)
	}
}

func TestRank_IsDeterministic(t *testing.T) {
	w := randomWorld(3, 300)
	scratch := new(Scratch)
	for user, b := range w.bettors {
		q := &Question{Query: tipoff.Query{UserID: user, N: 10, Diversity: 0.2}, Bettor: b, Now: w.now}
		first := w.index.Rank(q, scratch)
		if diff := cmp.Diff(first, w.index.Rank(q, scratch)); diff != "" {
			t.Error(diff)
		}
	}
}

// codeOf is the code by which a reason names each part of a score.
var codeOf = [partCount]string{
	partTeam: tipoff.ReasonTeam, partLeague: tipoff.ReasonLeague, partSport: tipoff.ReasonSport, partPairs: tipoff.ReasonCoBet,
	partCountry: tipoff.ReasonCountry, partPopular: tipoff.ReasonPopular, partSoon: tipoff.ReasonSoon, partNew: tipoff.ReasonNewFixture,
}

// taught is a model that has learnt from random bets of the world's bettors on events
// of their own taste.
func taught(w *world, steps int) *Model {
	m, s := NewModel(), new(Scratch)
	r := rand.New(rand.NewPCG(1, 1))
	for range steps {
		b := w.bettors[fmt.Sprint("u", r.IntN(12))]
		m.Learn(w.index, &Question{Bettor: b, Now: w.now}, []uint64{tipoff.EventRef(fmt.Sprint("e", r.IntN(60)))}, s)
	}
	return m
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

func TestAffinities_InWords(t *testing.T) {
	w := newWorld()
	w.post(event("e1", "Liga", noon.Add(time.Hour)))
	w.post(event("e2", "Liga", noon.Add(time.Hour)))
	w.bet("u", noon, "e1")
	w.bet("u", noon, "e2")
	got := w.index.Affinities(w.bettors["u"], noon.Add(TasteHalfLife))
	if got.Bets != 2 || got.Sports[0] != (tipoff.Affinity{Name: "Football", Weight: 1, Share: 1}) ||
		got.Leagues[0].Name != "Liga" || len(got.Teams) != 4 || got.Teams[0].Share != 0.5 ||
		got.Markets[0].Name != "1x2" || got.Odds[0].Name != "2.00-3.00" {
		t.Errorf("%+v", got)
	}
}
