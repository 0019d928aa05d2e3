package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lovoo/goka"

	"tipoff"
	"tipoff/broker"
	"tipoff/generator"
	"tipoff/processors"
	"tipoff/state"
	"tipoff/topics"
)

// whole compares coupons on their whole way through both processors with a
// goka processor that only stores each coupon. Each round has an empty broker of
// its own, as a table that is full would do the peer's work for it.
func (b *bench) whole(ctx context.Context) error {
	const coupons = 20_000
	now := time.Now()
	book := generator.NewSportsbook(3, 1000, 500, 7, now)
	var records []topics.Record
	legs := uint64(0)
	for _, e := range book.Events() {
		records = append(records, topics.EventRecord(tipoff.DefaultCompany, e, now))
	}
	for _, c := range book.Coupons(coupons, now) {
		records = append(records, topics.CouponRecord(tipoff.DefaultCompany, c, now))
		legs += uint64(len(c.Selections))
	}
	whole := func() (float64, error) {
		var bets sync.Map // by key, the legs of each bettor
		return b.stream(ctx, records, coupons, []processors.Graph{processors.Bettors, processors.Fixtures}, func(u broker.Update) uint64 {
			bettor, err := state.UnmarshalBettor(u.Value)
			if err != nil {
				return 0
			}
			before, _ := bets.Swap(u.Key, bettor.LegCount)
			old, _ := before.(uint64)
			return bettor.LegCount - old
		}, legs)
	}
	store := func() (float64, error) {
		return b.stream(ctx, records, coupons, []processors.Graph{func(processors.Ownership, topics.TableSet) *goka.GroupGraph {
			return goka.DefineGroup(topics.GroupBettors,
				goka.Input(topics.Coupons, asIs{}, func(ctx goka.Context, message any) { ctx.SetValue(message) }),
				goka.Persist(asIs{}),
			)
		}}, func(broker.Update) uint64 { return 1 }, coupons)
	}
	return b.turns(ctx, comparison{
		row: "whole", against: "a goka processor that only stores coupons", tipoff: rate(whole), other: rate(store), withoutFirst: true,
		figures: []figure{{name: "rate", what: "coupons through both processors", unit: "coupons/s", reach: []Reach{atLeast(0.5)},
			note: fmt.Sprintf("a coupon has %.1f legs, each of which goes to its fixture and back", float64(legs)/coupons)}},
	})
}

type asIs struct{}

func (asIs) Encode(v any) ([]byte, error) { return v.([]byte), nil }
func (asIs) Decode(b []byte) (any, error) { return b, nil }

// stream puts the records on an empty broker, then runs the processors until the
// view of the bettors' table has counted enough, and returns coupons a second.
func (b *bench) stream(ctx context.Context, records []topics.Record, coupons int,
	graphs []processors.Graph, count func(broker.Update) uint64, enough uint64) (rate float64, err error) {
	embedded, err := broker.OpenEmbedded(filepath.Join(b.folder, fmt.Sprint("stream", time.Now().UnixNano())), false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, embedded.Close()) }()
	cluster, err := broker.Connect(ctx, embedded.Config(), b.settings.Layout(), slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	defer cluster.Close()
	publisher, err := cluster.NewPublisher(30 * time.Second)
	if err != nil {
		return 0, err
	}
	for from := 0; from < len(records); from += 1000 {
		if err := publisher.Publish(ctx, records[from:min(len(records), from+1000)]); err != nil {
			return 0, errors.Join(err, publisher.Close())
		}
	}
	if err := publisher.Close(); err != nil {
		return 0, err
	}
	life, end := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer end()
	var counted atomic.Uint64
	var first atomic.Int64
	done := make(chan struct{})
	view := cluster.NewView(topics.TableBettors, func(u broker.Update) {
		first.CompareAndSwap(0, time.Now().UnixNano())
		if n := count(u); n > 0 && counted.Add(n) == enough {
			close(done)
		}
	})
	running.Go(func() { _ = view.Run(life) })
	for _, graph := range graphs {
		owner := cluster.NewOwner(broker.TableValues{
			Epoch: func([]byte) uint64 { return 0 },
			Check: func([]byte) error { return nil },
		}, func(string) {})
		p := cluster.NewProcessor(graph(owner, topics.TableSet{}), owner)
		running.Go(func() { _ = p.Run(life) })
	}
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		return 0, fmt.Errorf("after two minutes %d of %d are through", counted.Load(), enough)
	}
	// Joining the group takes both sides as long: the time runs from the first
	// value in the table.
	return float64(coupons) / time.Since(time.Unix(0, first.Load())).Seconds(), nil
}
