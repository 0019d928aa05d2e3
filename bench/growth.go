package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"tipoff"
	"tipoff/node"
	"tipoff/processors"
	"tipoff/topics"
)

// axisOf is one way in which a company grows.
type axisOf struct {
	name, unit string
	values     []int
	size       func(int) size
}

func (b *bench) axes() []axisOf {
	axes := []axisOf{
		{"events", "open events", []int{1000, 10_000, 100_000}, func(n int) size { return size{10_000, n, worldBets} }},
		{"bettors", "bettors", []int{10_000, 100_000, 1_000_000}, func(n int) size { return size{n, 5000, worldBets} }},
		{"bets", "bets a bettor", []int{1, 100, 10_000}, func(n int) size { return size{200, 5000, n} }},
	}
	if b.Small {
		axes[0].values, axes[0].size = []int{200, 2000}, func(n int) size { return size{500, n, worldBets} }
		axes[1].values, axes[1].size = []int{200, 5000}, func(n int) size { return size{n, 300, worldBets} }
		axes[2].values, axes[2].size = []int{1, 100}, func(n int) size { return size{100, 300, n} }
	}
	return axes
}

// growth compares how long one lookup takes in a large company with a small one, along
// each axis.
func (b *bench) growth(ctx context.Context) error {
	if err := b.stopShared(); err != nil {
		return err
	}
	for _, axis := range b.axes() {
		if err := b.growthAlong(ctx, axis); err != nil {
			return err
		}
	}
	return nil
}

// growthAlong has a gateway of each size up at once, so that they are measured in turns.
func (b *bench) growthAlong(ctx context.Context, axis axisOf) (err error) {
	var sides []side
	for _, v := range axis.values {
		h, err := b.newHome(ctx, axis.size(v))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, h.remove()) }()
		n, err := b.start(ctx, h, node.API)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, n.Stop(nil)) }()
		sides = append(sides, single(everyone(h.world).on(n.URL(), 1), b.lasts()))
	}
	c := curve{name: "p50"}
	for i, side := range sides[1:] {
		what := fmt.Sprintf("one lookup, %d %s", axis.values[i+1], axis.unit)
		f := figure{name: axis.name, what: what, unit: "ms"}
		if i == len(sides)-2 {
			f.reach = []Reach{atMost(1.3)}
		}
		err := b.turns(ctx, comparison{
			row: "growth", against: fmt.Sprintf("itself, %d", axis.values[0]), withoutFirst: true,
			tipoff: renamed(side, "p50", axis.name), other: renamed(sides[0], "p50", axis.name), figures: []figure{f},
		})
		if err != nil {
			return err
		}
		l := &b.results.Lines[len(b.results.Lines)-1]
		if i == 0 {
			c.points = append(c.points, [2]float64{float64(axis.values[0]), l.Other})
		}
		c.points = append(c.points, [2]float64{float64(axis.values[i+1]), l.Tipoff})
	}
	if b.Plot == "" {
		return nil
	}
	return b.draw("growth-"+axis.name, chart{title: "one lookup as " + axis.unit + " grow", x: axis.unit + ", logarithmic", y: "ms", logX: true, curves: []curve{c}})
}

// renamed is a side with one of its figures alone, under another name.
func renamed(s side, from, to string) side {
	return func(ctx context.Context) (figures, error) {
		got, err := s(ctx)
		return figures{to: got[from]}, err
	}
}

// hotCoupons is how many coupons a round has.
func (b *bench) hotCoupons() int {
	if b.Small {
		return 2000
	}
	return 40_000
}

// ownBets is how many coupons the one bettor places who has bet before all others.
func (b *bench) ownBets() int {
	if b.Small {
		return 2000
	}
	return 100_000
}

// hot compares processing where everyone bets on one event, and where one bettor places
// all bets, with the same number of bets spread evenly.
func (b *bench) hot(ctx context.Context) error {
	if err := b.stopShared(); err != nil {
		return err
	}
	w := newWorld(size{b.usual().bettors, b.usual().events, 1}, time.Now())
	spread := func(_, i int) (user, event int) { return i % len(w.users), len(w.events) - 1 - i%w.size.events }
	for _, kind := range []struct {
		figure, what string
		coupons      int
		place        func(n, i int) (user, event int)
	}{
		{"one event", "coupons/s, all on one event", b.hotCoupons(), func(n, i int) (int, int) {
			user, _ := spread(n, i)
			return user, len(w.events) - 1
		}},
		{"one bettor", fmt.Sprintf("coupons/s, %d of one bettor", b.ownBets()), b.ownBets(), func(n, i int) (int, int) {
			_, event := spread(n, i)
			return 0, event
		}},
	} {
		run := func(place func(n, i int) (int, int)) side {
			return rate(func() (float64, error) { return b.process(ctx, w, kind.coupons, place) })
		}
		err := b.turns(ctx, comparison{
			row: "hot", against: "itself, spread over all", tipoff: run(kind.place), other: run(spread),
			figures: []figure{{name: "rate", what: kind.what, unit: "coupons/s", reach: []Reach{atLeast(.7)}}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// process sends coupons of one leg each through both processors, and returns how many a
// second are through.
func (b *bench) process(ctx context.Context, w *world, coupons int, place func(n, i int) (user, event int)) (float64, error) {
	now, run := time.Now(), strconv.FormatUint(rand.Uint64(), 36)
	var records []topics.Record
	for _, e := range w.events {
		if e.Begin.After(now) {
			records = append(records, topics.EventRecord(tipoff.DefaultCompany, e.Event, now))
		}
	}
	for i := range coupons {
		user, event := place(coupons, i)
		records = append(records, topics.CouponRecord(tipoff.DefaultCompany, tipoff.Coupon{
			ID: run + "-" + strconv.Itoa(i), UserID: w.users[user].ID, Stake: 1,
			Timestamp:  now.Add(time.Duration(i-coupons) * time.Millisecond), // in their order, before now
			Selections: []tipoff.Selection{{EventID: w.events[event].ID, Odds: 2}},
		}, now))
	}
	// A bettor forgets coupons beyond those that may wait, so bets that are learnt say
	// nothing of how far the processors are.
	took, err := b.stream(ctx, records, []processors.Graph{processors.Bettors, processors.Fixtures}, 0)
	return float64(coupons) / took.Seconds(), err
}
