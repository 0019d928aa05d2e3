package evaluate

import (
	"slices"
	"time"

	"tipoff"
	"tipoff/rank"
	"tipoff/state"
)

// World is one company's state in memory. A fact changes it as it changes the tables
// that serve, by the same functions of state and rank, but at once and in this process.
type World struct {
	Index    *rank.Index
	Model    *rank.Model
	bettors  map[string]*state.Bettor
	fixtures map[string]*state.Fixture
	position state.Position
	scratch  rank.Scratch
}

// newWorld returns a company without facts.
func newWorld() *World {
	return &World{
		Index:    rank.NewIndex(),
		Model:    rank.NewModel(),
		bettors:  map[string]*state.Bettor{},
		fixtures: map[string]*state.Fixture{},
		position: state.Position{Source: 1},
	}
}

func (w *World) next() state.Position {
	w.position.Offset++
	return w.position
}

// bettor returns a copy of a bettor's state that may be changed, as the table does.
func (w *World) bettor(id string) *state.Bettor {
	b := w.bettors[id]
	if b == nil {
		return &state.Bettor{User: tipoff.User{ID: id}}
	}
	fresh, err := state.UnmarshalBettor(b.Marshal())
	if err != nil {
		panic(err) // what was written can be read
	}
	fresh.User.ID = id
	return fresh
}

func (w *World) putBettor(id string, fresh *state.Bettor) {
	w.Index.PutBettor(id, fresh)
	w.bettors[id] = fresh
}

func (w *World) fixture(id string) *state.Fixture {
	f := w.fixtures[id]
	if f == nil {
		f = new(state.Fixture)
		w.fixtures[id] = f
	}
	return f
}

// PostUser adds a user, or replaces what was posted before.
func (w *World) PostUser(u *tipoff.User) {
	b := w.bettor(u.ID)
	b.Post(*u, w.next())
	w.putBettor(u.ID, b)
}

// PostEvent adds an event, or replaces what was posted before.
func (w *World) PostEvent(e *tipoff.Event, now time.Time) {
	f := *w.fixture(e.ID) // the index refers to the one before
	f.Post(*e, w.next())
	w.fixtures[e.ID] = &f
	w.Index.PutFixture(tipoff.EventRef(e.ID), &f, now)
}

// Bet adds a coupon: the bettor notes it, its legs are counted at their fixtures and
// come back with what the fixtures know.
func (w *World) Bet(c *tipoff.Coupon, now time.Time) {
	b, at, received := w.bettor(c.UserID), w.next(), now.Unix()
	if b.AddCoupon(c, at, state.CauseAt(at), received) != state.NewBet {
		return
	}
	cause := state.Cause{Position: at, Floor: at.Offset}
	for _, leg := range b.LegsOf(c, cause, received) {
		f := w.fixture(leg.EventID)
		f.Count(&leg)
		w.Index.PutFixture(tipoff.EventRef(leg.EventID), f, now)
		if f.Known {
			b.Apply(state.Resolve(&leg, f.Traits()), received)
		}
	}
	w.putBettor(c.UserID, b)
}

// Sizes are the bytes of states in the tables.
type Sizes struct {
	Bettor, BettorMost   int // with [sizedBets] selections or a few more: the median, the largest
	Fixture, FixtureMost int // with 64 bets or more: the median, the largest
}

// sizedBets is the number of selections at which bettors are measured.
const sizedBets = 30

// Sizes measures the states of the world.
func (w *World) Sizes() (s Sizes) {
	var bettors, fixtures []int
	for _, b := range w.bettors {
		if b.LegCount >= sizedBets && b.LegCount < sizedBets+3 {
			bettors = append(bettors, len(b.Marshal()))
		}
	}
	for _, f := range w.fixtures {
		if f.LegCount >= 64 {
			fixtures = append(fixtures, len(f.Marshal()))
		}
	}
	slices.Sort(bettors)
	slices.Sort(fixtures)
	if n := len(bettors); n > 0 {
		s.Bettor, s.BettorMost = bettors[n/2], bettors[n-1]
	}
	if n := len(fixtures); n > 0 {
		s.Fixture, s.FixtureMost = fixtures[n/2], fixtures[n-1]
	}
	return s
}
