package bench

import (
	"context"
	"fmt"
	"time"

	"tipoff"
	"tipoff/node"
	"tipoff/progress"
	"tipoff/topics"
)

// work is what a run of coupons through the whole pipeline came to.
type work struct {
	rate     float64 // coupons a second, from the first post until every lag is 0
	bettors  float64 // values written to the bettors' table, a coupon
	fixtures float64 // likewise
}

// through posts so many coupons and waits until all groups are through: the processors,
// the learner and the sink.
func (b *bench) through(ctx context.Context, n *node.Node, bets *slips, coupons int) (w work, err error) {
	values := func() (counts [2]int64) {
		for i, table := range []string{topics.TableBettors, topics.TableFixtures} {
			var ends map[int32]int64
			if err == nil {
				ends, err = n.Cluster().Ends(ctx, table)
			}
			for _, end := range ends {
				counts[i] += end
			}
		}
		return counts
	}
	before := values()
	bar := progress.New(b.bar, "posting coupons", coupons)
	defer bar.End()
	began := time.Now()
	if err == nil {
		err = bets.postAll(ctx, n.URL(), coupons, bar.Add)
	}
	var until time.Time
	if err == nil {
		until, err = drained(ctx, n.Cluster())
	}
	after := values()
	all := float64(coupons / postSize * postSize)
	return work{all / until.Sub(began).Seconds(), float64(after[0]-before[0]) / all, float64(after[1]-before[1]) / all}, err
}

// wholeCoupons is how many coupons a round has.
func (b *bench) wholeCoupons() int {
	if b.Small {
		return 2 * postSize
	}
	return 120 * postSize // the wait for the last ones is a small part of it
}

// sustained is the rate of coupons that the whole pipeline goes on with, as the row
// "whole" has found it, or else as one round does.
func (b *bench) sustained(ctx context.Context, n *node.Node, h *home) (float64, error) {
	if l := b.last("whole", "rate"); l != nil {
		return l.Tipoff, nil
	}
	w, err := b.through(ctx, n, h.slips(), b.wholeCoupons())
	return w.rate, err
}

// last is the line of a figure that was measured in this run; nil: it was not.
func (b *bench) last(row, figure string) *Line {
	for i := range b.results.Lines {
		if l := &b.results.Lines[i]; l.Row == row && l.Figure == figure {
			return l
		}
	}
	return nil
}

// whole compares the whole pipeline, all roles in one process, with a goka processor
// that only stores values like those of the tables. The pipeline's state messages are
// the values that it writes: so many a coupon, which the peer writes too.
func (b *bench) whole(ctx context.Context) error {
	n, h, err := b.shared(ctx, b.usual())
	if err != nil {
		return err
	}
	bets, values := h.slips(), b.values(h.world)
	var last work
	ours := func(ctx context.Context) (figures, error) {
		w, err := b.through(ctx, n, bets, b.wholeCoupons())
		last = w
		return figures{"rate": w.rate, "messages": w.rate * (w.bettors + w.fixtures)}, err
	}
	store := func(ctx context.Context) (figures, error) {
		messages, err := b.store(ctx, values.mixed(last, 3*b.wholeCoupons()))
		return figures{"rate": messages / (last.bettors + last.fixtures), "messages": messages}, err
	}
	note := func() string {
		return fmt.Sprintf("%.1f legs a coupon; it writes %.2f values to the bettors' table and %.2f to the fixtures'", bets.legs(), last.bettors, last.fixtures)
	}
	err = b.turns(ctx, comparison{
		row: "whole", against: "goka processor that stores values of the same size, as many a coupon", tipoff: ours, other: store, withoutFirst: true,
		figures: []figure{
			{name: "rate", what: "coupons through the pipeline until every lag is 0", unit: "coupons/s", reach: []Reach{itselfLeast(8000), atLeast(.5)}},
			{name: "messages", what: "the same, counted in state messages", unit: "messages/s"},
		},
	})
	if err == nil {
		b.last("whole", "rate").Note = note()
	}
	return err
}

// tableValues are values of both tables.
type tableValues struct{ bettors, fixtures []topics.Record }

func (b *bench) values(w *world) (v tableValues) {
	again := newWorld(size{min(2000, w.bettors), w.size.events, w.bets}, w.now)
	for i := range again.users {
		v.bettors = append(v.bettors, topics.Record{Topic: topics.Coupons, Key: topics.Key(tipoff.DefaultCompany, again.users[i].ID), Value: again.bettor(i).Marshal()})
	}
	for id, f := range again.fixtures {
		v.fixtures = append(v.fixtures, topics.Record{Topic: topics.Coupons, Key: topics.Key(tipoff.DefaultCompany, id), Value: f.Marshal()})
	}
	return v
}

// mixed are n values, of both tables in the proportion in which the pipeline writes
// them.
func (v tableValues) mixed(w work, n int) (records []topics.Record) {
	due := 0.0
	for i := range n {
		from := v.fixtures
		if due += w.bettors / (w.bettors + w.fixtures); due >= 1 {
			due--
			from = v.bettors
		}
		r := from[i%len(from)]
		r.Received = time.Now()
		records = append(records, r)
	}
	return records
}

// store has a goka processor store the records one by one, each under its key, and
// returns how many a second.
func (b *bench) store(ctx context.Context, records []topics.Record) (float64, error) {
	took, err := b.stream(ctx, records, storeOnly(), uint64(len(records)))
	return float64(len(records)) / took.Seconds(), err
}
