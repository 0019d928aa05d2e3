package rank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"tipoff"
	"tipoff/state"
)

// world is a company for tests: it lets facts take their way without topics.
type world struct {
	index    *Index
	bettors  map[string]*state.Bettor
	fixtures map[string]*state.Fixture
	offset   int64
	now      time.Time
}

func newWorld() *world {
	return &world{index: NewIndex(), bettors: map[string]*state.Bettor{}, fixtures: map[string]*state.Fixture{}, now: noon}
}

func (w *world) user(id, country string) {
	w.change(id, func(b *state.Bettor) {
		b.Post(tipoff.User{ID: id, Country: country}, w.next())
	})
}

func (w *world) next() state.Position {
	w.offset++
	return at(w.offset)
}

// change replaces a bettor's state as the table does: by a new value.
func (w *world) change(id string, change func(*state.Bettor)) {
	old := w.bettors[id]
	fresh := new(state.Bettor)
	if old != nil {
		fresh, _ = state.UnmarshalBettor(old.Marshal())
	}
	change(fresh)
	fresh.User.ID = id
	w.bettors[id] = fresh
	w.index.PutBettor(id, fresh)
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

func (w *world) fixture(id string) *state.Fixture {
	if f := w.fixtures[id]; f != nil {
		fresh, _ := state.UnmarshalFixture(f.Marshal())
		return fresh
	}
	return new(state.Fixture)
}

func (w *world) put(id string, f *state.Fixture) {
	w.fixtures[id] = f
	w.index.PutFixture(tipoff.EventRef(id), f, w.now)
}

func (w *world) bet(user string, when time.Time, events ...string) {
	w.offset++
	c, position := coupon(fmt.Sprint("c", w.offset), user, when, events...), at(w.offset)
	var legs []state.Leg
	w.change(user, func(b *state.Bettor) {
		b.AddCoupon(c, position, state.CauseAt(position), when.Unix())
		legs = b.LegsOf(c, state.Cause{Position: position}, when.Unix())
	})
	for i := range legs {
		f := w.fixture(legs[i].EventID)
		f.Count(&legs[i])
		w.put(legs[i].EventID, f)
		if f.Known {
			w.change(user, func(b *state.Bettor) { b.Apply(state.Resolve(&legs[i], f.Traits()), when.Unix()) })
		}
	}
}

func (w *world) ask(user string, change ...func(*tipoff.Query)) []tipoff.Item {
	q := tipoff.Query{UserID: user, N: 10}
	for _, c := range change {
		c(&q)
	}
	return w.index.Rank(&Question{Query: q, Now: w.now}, new(Scratch))
}

func ids(ranked []tipoff.Item) []string {
	list := make([]string, len(ranked))
	for i, r := range ranked {
		list[i] = r.Event.ID
	}
	return list
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

// taught is a model that has learnt from random bets of the world's bettors on events
// of their own taste.
func taught(w *world, steps int) *Model {
	m, s := NewModel(), new(Scratch)
	r := rand.New(rand.NewPCG(1, 1))
	for range steps {
		m.Learn(w.index, &Question{Query: tipoff.Query{UserID: fmt.Sprint("u", r.IntN(12))}, Now: w.now}, []uint64{tipoff.EventRef(fmt.Sprint("e", r.IntN(60)))}, s)
	}
	return m
}

// bigWorld has many open events, 500 bettors with ten bets each or more, and a model
// whose learnt stages lead.
func bigWorld(open int) (*world, *Model) {
	r := rand.New(rand.NewPCG(1, 1))
	w := newWorld()
	for i := range open {
		e := event(fmt.Sprint("e", i), fmt.Sprint("L", i%50), noon.Add(time.Duration(r.IntN(100)+1)*time.Hour))
		e.Participants = []string{fmt.Sprint("t", r.IntN(300)), fmt.Sprint("t", 300+r.IntN(300))}
		w.post(e)
	}
	for i := range 500 {
		w.user(fmt.Sprint("u", i), fmt.Sprint("country ", i%20))
	}
	for i := range 10_000 {
		w.bet(fmt.Sprint("u", i%500), noon.Add(time.Duration(i-10_000)*time.Second), fmt.Sprint("e", r.IntN(open)*r.IntN(open)/open))
	}
	m := taught(w, 50)
	m.Quality = [rankerCount]Quality{rankerNet: {Sum: 50, Weight: 100}}
	return w, m
}

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

func at(offset int64) state.Position { return state.Position{Source: 7, Offset: offset} }

// event is an open one between two teams that play no other.
func event(id, league string, begin time.Time) tipoff.Event {
	return tipoff.Event{
		ID: id, Sport: "Football", League: league, Country: "USA", Begin: begin, End: begin.Add(2 * time.Hour),
		Participants: []string{"Home " + id, "Away " + id}, Status: tipoff.StatusOpen,
	}
}

func coupon(id, user string, at time.Time, events ...string) *tipoff.Coupon {
	c := &tipoff.Coupon{ID: id, UserID: user, Stake: 10, Timestamp: at}
	for _, e := range events {
		c.Selections = append(c.Selections, tipoff.Selection{EventID: e, Odds: 2, Market: "1x2", Outcome: "1"})
	}
	return c
}

func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-9*math.Max(1, math.Max(math.Abs(a), math.Abs(b)))
}

// weightOf is the weight of a category, 0 where the list does not hold it.
func weightOf(list []state.Affinity, key uint32) float64 {
	for i := range list {
		if list[i].Key == key {
			return list[i].Weight
		}
	}
	return 0
}
