package rank

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tipoff"
	"tipoff/state"
)

// restless is a world in which time passes while bettors bet, also on events that nobody
// has posted, lose what is too much, are posted, and are forgotten.
func restless(seed uint64, steps int) *world {
	w, r := newWorld(), rand.New(rand.NewPCG(seed, 2))
	started := w.now
	for i := range 60 {
		w.post(event(fmt.Sprint("e", i), fmt.Sprint("L", i%25), started.Add(time.Duration(r.IntN(100)-5)*time.Hour)))
	}
	var waiting []func()
	for i := range steps {
		w.now = started.Add(time.Duration(i) * 10 * time.Minute)
		user, id := fmt.Sprint("u", r.IntN(12)), fmt.Sprint("e", r.IntN(60))
		switch r.IntN(16) {
		case 0:
			w.user(user, fmt.Sprint("country ", r.IntN(3)))
		case 1:
			w.patch(id, tipoff.EventPatch{Begin: w.now.Add(time.Duration(r.IntN(30)-10) * time.Hour)})
		case 2:
			w.index.Begin(w.now)
			w.index.Refresh(w.now)
		case 3:
			if r.IntN(4) == 0 {
				delete(w.bettors, user)
				w.index.PutBettor(user, nil)
			}
		case 4:
			for _, apply := range waiting {
				apply()
			}
			waiting = waiting[:0]
		case 5: // its leg comes back much later
			waiting = append(waiting, w.betUnposted(user, fmt.Sprint("late", i)))
		case 6: // again on what was bet on before, in one moment
			w.bet(user, w.now, id, fmt.Sprint("e", r.IntN(60)))
			w.bet(user, w.now, fmt.Sprint("e", r.IntN(60)), id)
		case 7: // comes late
			w.bet(user, w.now.Add(-time.Duration(r.IntN(5000))*time.Minute), id)
		default:
			w.bet(user, w.now, id, fmt.Sprint("e", r.IntN(60)), fmt.Sprint("never posted ", r.IntN(5)))
		}
	}
	return w
}

// betUnposted bets on an event that is not posted, and returns what posts it and lets
// the leg come back.
func (w *world) betUnposted(user, id string) (post func()) {
	c, position := coupon("c "+id, user, w.now, id), w.next()
	var legs []state.Leg
	w.change(user, func(b *state.Bettor) {
		b.AddCoupon(c, position, state.CauseAt(position), w.now.Unix())
		legs = b.LegsOf(c, state.Cause{Position: position}, w.now.Unix())
	})
	return func() {
		w.post(event(id, "L", w.now.Add(time.Hour)))
		if w.bettors[user] != nil {
			w.change(user, func(b *state.Bettor) { b.Apply(state.Resolve(&legs[0], w.fixtures[id].Traits()), w.now.Unix()) })
		}
	}
}

// builtAgain is an index that has got the last states alone.
func (w *world) builtAgain() *Index {
	x := NewIndex()
	for _, id := range slices.Sorted(maps.Keys(w.fixtures)) {
		x.PutFixture(tipoff.EventRef(id), w.fixtures[id], w.now)
	}
	for id, b := range w.bettors {
		x.PutBettor(id, b)
	}
	return x
}

// heldOf is what an index holds of bettors, without numbers of its own.
type heldOf struct {
	Bets       uint64
	Crowd      float64
	Categories map[categoryKey][2]float64 // the crowd's weight, and its logarithm
	Bettors    map[string]heldBettor
	Events     map[uint64]heldEvent
}

type heldBettor struct {
	User, Home      string
	Country         uint32
	Tastes          []categoryKey
	Weights         []float32
	LastBet         int64
	Legs, Trail     []heldBet
	Waiting         []uint64
	Open            uint32
	Epoch, LegCount uint64
}

type heldBet struct {
	Event uint64
	At    int32
}

type heldEvent struct {
	Held      int32
	Visits    map[string]heldVisit
	Order     []int32 // times of the visits
	Countries map[uint32]float64
}

type heldVisit struct {
	At   int32
	Next [2]uint64
}

func heldBy(x *Index, at int64) heldOf {
	h := heldOf{Bets: x.bets, Crowd: x.crowd, Categories: map[categoryKey][2]float64{}, Bettors: map[string]heldBettor{}, Events: map[uint64]heldEvent{}}
	for i, c := range x.categories {
		if c.crowd > 1e-3*x.crowd { // else rounding is much of it
			h.Categories[c.key] = [2]float64{c.crowd, float64(x.logs[i])}
		}
	}
	users := map[int32]string{}
	for id, b := range x.bettors {
		users[b.trail] = id
		t := x.trail(b.trail)
		held := heldBettor{
			User: b.user, Home: b.home, Country: b.country, Weights: b.weights, LastBet: b.lastBet,
			Waiting: b.waiting, Open: t.open, Epoch: b.Epoch, LegCount: b.LegCount,
		}
		for i, taste := range b.tastes {
			if i < int(b.ends[kindMarket]) {
				held.Tastes = append(held.Tastes, x.categories[taste].key)
			} else {
				held.Tastes = append(held.Tastes, categoryKey{kindOdds, uint32(taste)})
			}
		}
		for _, leg := range b.legs {
			held.Legs = append(held.Legs, heldBet{x.entries[leg.slot].ref, leg.at})
		}
		for i, slot := range t.slots() {
			held.Trail = append(held.Trail, heldBet{x.entries[slot].ref, t.at[i]})
		}
		h.Bettors[id] = held
	}
	for ref, slot := range x.slots {
		e := &x.entries[slot]
		held := heldEvent{Held: e.held, Visits: map[string]heldVisit{}, Countries: map[uint32]float64{}}
		for i, v := range e.visits.bets {
			visit := heldVisit{At: v.at}
			for k, next := range v.next {
				if next >= 0 {
					visit.Next[k] = x.entries[next].ref
				}
			}
			held.Visits[users[e.visits.bettors[i]]] = visit
			held.Order = append(held.Order, v.at)
		}
		for _, bets := range e.countries.places {
			if sum := bets.decayed().Value(at, state.PopularityHalfLife); bets.name != 0 && sum > 1e-4 {
				held.Countries[bets.name] = sum
			}
		}
		h.Events[ref] = held
	}
	return h
}

// TestPutBettor_StatesOneAfterAnotherComeToWhatTheLastOnesAre: what an index does only
// where a state differs from the one before leaves nothing behind.
func TestPutBettor_StatesOneAfterAnotherComeToWhatTheLastOnesAre(t *testing.T) {
	sameOrder := cmpopts.SortSlices(func(a, b heldBet) bool { return a.At < b.At || a.At == b.At && a.Event < b.Event })
	for seed := range uint64(6) {
		w := restless(seed, 1500)
		built := &world{index: w.builtAgain(), now: w.now}
		for _, x := range []*Index{w.index, built.index} {
			x.Begin(w.now)
			x.Refresh(w.now)
			x.Sweep()
		}
		got, want := heldBy(w.index, w.now.Unix()), heldBy(built.index, w.now.Unix())
		legs := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Legs" }, sameOrder)
		if diff := cmp.Diff(want, got, legs, cmpopts.EquateApprox(1e-4, 1e-5), cmpopts.EquateEmpty(), cmp.AllowUnexported(categoryKey{})); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
		for user := range w.bettors {
			if diff := cmp.Diff(built.ask(user), w.ask(user)); diff != "" {
				t.Errorf("seed %d, %s: %s", seed, user, diff)
			}
			a, _ := built.index.Affinities(user, w.now)
			b, _ := w.index.Affinities(user, w.now)
			if diff := cmp.Diff(a, b); diff != "" {
				t.Errorf("seed %d, %s: %s", seed, user, diff)
			}
		}
	}
}
