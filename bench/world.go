package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"tipoff"
	"tipoff/broker"
	"tipoff/generator"
	"tipoff/progress"
	"tipoff/state"
	"tipoff/topics"
)

// A state of a million bettors comes in minutes where it is written straight to the
// tables' topics, instead of being posted. It is made by the functions of state that the
// processors use, and by their codecs, so a node that starts on it reads what it would
// have written itself.

// size is how large a world is.
type size struct {
	bettors, events int
	bets            int // selections of each bettor, or a few more
}

// Shapes of a world.
const (
	worldBets    = 30
	worldPast    = 30 * 24 * time.Hour // over which bettors have bet
	worldDays    = 7                   // in which events begin
	worldAhead   = 72 * time.Hour      // how long before an event bettors bet on it
	worldCounted = 20_000              // bettors whose bets the fixtures have counted: more change sums, not sizes
	worldSeed    = 7
)

// world is a company whose bettors have bet for a month. The same size makes the same
// one, but for its times, which are those of its making.
type world struct {
	size
	now      time.Time
	users    []tipoff.User
	events   []event                   // begun and open, by beginning
	leagues  [][]int                   // of each league, its events' places in events
	fixtures map[string]*state.Fixture // of open events
	at       state.Position
}

// event is one with what is worked out once.
type event struct {
	tipoff.Event
	traits state.Traits
	league int
}

func newWorld(s size, now time.Time) *world {
	w := &world{size: s, now: now, fixtures: map[string]*state.Fixture{}, at: state.Position{Source: 1}}
	open := generator.NewSportsbook(worldSeed, s.bettors, s.events, worldDays, now)
	past := generator.NewSportsbook(worldSeed+1, 0, min(s.events, 5000), int(worldPast.Hours()/24)-1, now.Add(-worldPast))
	w.users = open.Users()
	leagues := map[uint32]int{}
	for _, e := range slices.Concat(past.Events(), open.Events()) {
		traits := state.TraitsOf(&e)
		league, known := leagues[traits.League]
		if !known {
			league = len(leagues)
			leagues[traits.League] = league
			w.leagues = append(w.leagues, nil)
		}
		w.leagues[league] = append(w.leagues[league], len(w.events))
		w.events = append(w.events, event{e, traits, league})
	}
	for _, e := range open.Events() {
		f := new(state.Fixture)
		f.Post(e, w.next())
		w.fixtures[e.ID] = f
	}
	return w
}

func (w *world) next() state.Position {
	w.at.Offset++
	return w.at
}

// choice draws an event that begins in the time after at, more often one of the bettor's
// leagues; nil: none does.
func (w *world) choice(r *rand.Rand, leagues []int, at time.Time) *event {
	begins := func(place int) time.Time { return w.events[place].Begin }
	if r.IntN(10) < 7 {
		of := w.leagues[leagues[r.IntN(len(leagues))]]
		from, _ := slices.BinarySearchFunc(of, at, func(place int, at time.Time) int { return begins(place).Compare(at) })
		to, _ := slices.BinarySearchFunc(of, at.Add(worldAhead), func(place int, at time.Time) int { return begins(place).Compare(at) })
		if from < to {
			return &w.events[of[from+r.IntN(to-from)]]
		}
	}
	by := func(e event, at time.Time) int { return e.Begin.Compare(at) }
	from, _ := slices.BinarySearchFunc(w.events, at, by)
	to, _ := slices.BinarySearchFunc(w.events, at.Add(worldAhead), by)
	if from == to {
		return nil
	}
	return &w.events[from+r.IntN(to-from)]
}

// legCounts are how many legs coupons have, each as often: 2.3 on average.
var legCounts = []int{1, 1, 1, 2, 2, 2, 3, 3, 4, 4}

// coupon draws one that a bettor places at a moment, on different events.
func (w *world) coupon(r *rand.Rand, id string, user *tipoff.User, leagues []int, at time.Time) (c tipoff.Coupon, events []*event) {
	c = tipoff.Coupon{ID: id, UserID: user.ID, Stake: float64(1 + r.IntN(50)), Timestamp: at.UTC().Truncate(time.Microsecond)}
	for range legCounts[r.IntN(len(legCounts))] {
		e := w.choice(r, leagues, at)
		if e == nil || slices.Contains(events, e) {
			continue
		}
		market := e.Markets[0]
		o := market.Outcomes[r.IntN(len(market.Outcomes))]
		c.Selections = append(c.Selections, tipoff.Selection{EventID: e.ID, Odds: o.Odds, Market: market.Market, Outcome: o.Outcome})
		events = append(events, e)
	}
	return c, events
}

// taste is what decides a bettor's choices: the same for each call.
func (w *world) taste(i int) (*rand.Rand, []int) {
	r := rand.New(rand.NewPCG(worldSeed, uint64(i)))
	return r, []int{r.IntN(len(w.leagues)), r.IntN(len(w.leagues))}
}

// bettor makes the state of bettor i, and has the fixtures count the bets of the first
// ones.
func (w *world) bettor(i int) *state.Bettor {
	r, leagues := w.taste(i)
	b, user := &state.Bettor{Epoch: 1}, &w.users[i]
	b.Post(*user, w.next())
	between := worldPast * 23 / 10 / time.Duration(w.bets+3)
	at := w.now.Add(-worldPast + time.Duration(r.Int64N(int64(between))))
	for made, n := 0, 0; made < w.bets; n++ {
		c, events := w.coupon(r, fmt.Sprintf("w-%d-%d", i, n), user, leagues, at)
		if at = at.Add(between); at.After(w.now) {
			at = w.now
		}
		if len(events) == 0 {
			continue
		}
		made += len(events)
		w.bet(b, &c, events, i < worldCounted)
	}
	return b
}

func (w *world) bet(b *state.Bettor, c *tipoff.Coupon, events []*event, counted bool) {
	at, received := w.next(), c.Timestamp.Unix()
	if b.AddCoupon(c, at, state.CauseAt(at), received) != state.NewBet {
		return
	}
	for i, leg := range b.LegsOf(c, state.Cause{Position: at, Floor: at.Offset}, received) {
		if f := w.fixtures[leg.EventID]; f != nil && counted {
			f.Count(&leg)
		}
		b.Apply(state.Resolve(&leg, events[i].traits), received)
	}
}

// written is how much of a world was written.
type written struct {
	bettorBytes, fixtureBytes int64 // of all values
}

// writeBatch is how many values are published together.
const writeBatch = 1000

// write puts the world on the tables' topics, on which nobody works yet.
func (w *world) write(ctx context.Context, c *broker.Cluster, bar *progress.Progress) (done written, err error) {
	publisher, err := c.NewPublisher(time.Minute)
	if err != nil {
		return done, err
	}
	defer func() {
		if closed := publisher.Close(); err == nil {
			err = closed
		}
	}()
	var batch []topics.Record
	put := func(table, id string, value []byte) error {
		batch = append(batch, topics.Record{Topic: table, Key: topics.Key(tipoff.DefaultCompany, id), Value: value, Received: w.now})
		if len(batch) < writeBatch {
			return nil
		}
		err := publisher.Publish(ctx, batch)
		bar.Add(len(batch))
		batch = batch[:0]
		return err
	}
	for i := range w.users {
		value := w.bettor(i).Marshal()
		done.bettorBytes += int64(len(value))
		if err := put(topics.TableBettors, w.users[i].ID, value); err != nil {
			return done, err
		}
	}
	for id, f := range w.fixtures {
		f.Epoch = 1
		value := f.Marshal()
		done.fixtureBytes += int64(len(value))
		if err := put(topics.TableFixtures, id, value); err != nil {
			return done, err
		}
	}
	bar.Add(len(batch))
	return done, publisher.Publish(ctx, batch)
}
