package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"tipoff/broker"
	"tipoff/topics"
)

// served is a home whose broker runs in this process, so that a child can have a role
// alone.
type served struct {
	*home
	embedded *broker.Embedded
}

func (b *bench) serve(ctx context.Context, s size) (*served, error) {
	h, err := b.newHome(ctx, s)
	if err != nil {
		return nil, err
	}
	embedded, err := broker.OpenEmbedded(ctx, filepath.Join(h.folder, "broker"), false, broker.TableValues{})
	return &served{h, embedded}, err
}

// api starts a gateway on it, and returns how long it took until it was ready.
func (s *served) api(ctx context.Context, b *bench, each func(string), more ...string) (*child, time.Duration, error) {
	config := s.embedded.Config()
	c, err := startChild(ctx, append(b.environment(s.folder, &config), more...), s.folder, each, "api")
	if err != nil {
		return nil, 0, err
	}
	took, err := c.ready(ctx)
	if err != nil {
		return nil, 0, errors.Join(err, c.kill())
	}
	return c, took, nil
}

func (s *served) close() error { return errors.Join(s.embedded.Close(), s.remove()) }

// api measures a gateway with a million bettors: until it is ready, the memory that a
// bettor takes, and what the collector costs at full load.
func (b *bench) api(ctx context.Context) (err error) {
	if err := b.stopShared(); err != nil {
		return err
	}
	s, err := b.serve(ctx, b.million())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	few := b.million()
	few.bettors /= 100
	base, err := b.serve(ctx, few)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, base.close()) }()
	value := float64(s.bettorBytes) / float64(s.bettors)
	start := func(ctx context.Context) (figures, error) {
		many, took, err := s.memory(ctx, b)
		if err != nil {
			return nil, err
		}
		little, _, err := base.memory(ctx, b)
		return figures{"start": took.Seconds(), "memory": float64(many-little) / float64(s.bettors-base.bettors)}, err
	}
	read := func(ctx context.Context) (figures, error) {
		took, err := s.read(ctx, b)
		return figures{"start": took.Seconds(), "memory": value}, err
	}
	what := fmt.Sprintf("an api of %d bettors of %d bets, %d events", s.bettors, s.bets, s.size.events)
	err = b.turns(ctx, comparison{
		row: "api", against: "bare consumer that reads both tables; bytes of a bettor's value", tipoff: start, other: read,
		figures: []figure{
			{name: "start", what: "until ready, " + what, unit: "s", reach: []Reach{atMost(1.5)}, note: "the tables hold one value a key: nothing superseded is read"},
			{name: "memory", what: "resident memory a bettor, " + what, unit: "bytes", reach: []Reach{atMost(2), itselfAtMost(1024)}},
		},
	})
	if err != nil {
		return err
	}
	return b.collector(ctx, s)
}

// memory is what a gateway holds after some lookups, in bytes, and how long it took to
// start.
func (s *served) memory(ctx context.Context, b *bench) (int64, time.Duration, error) {
	c, took, err := s.api(ctx, b, nil)
	if err != nil {
		return 0, 0, err
	}
	_, err = everyone(s.world).on(c.url, lookupConnections).closed(ctx, 3*b.lasts()) // until it has settled
	held := c.resident()
	if err == nil && held == 0 {
		err = errors.New("the memory of a process is read from /proc, which is not here: run on Linux")
	}
	return held, took, errors.Join(err, c.end())
}

// read reads the tables of bettors and fixtures once, all partitions side by side, and
// does nothing with them.
func (s *served) read(ctx context.Context, b *bench) (took time.Duration, err error) {
	cluster, err := broker.Connect(ctx, s.embedded.Config(), b.settings.Layout(), slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, cluster.Close()) }()
	config, err := cluster.Sarama("bench")
	if err != nil {
		return 0, err
	}
	began := time.Now()
	consumer, err := sarama.NewConsumer(cluster.Brokers(), config)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, consumer.Close()) }()
	var reading sync.WaitGroup
	for _, table := range []string{topics.TableBettors, topics.TableFixtures} {
		ends, err := cluster.Ends(ctx, table)
		if err != nil {
			return 0, err
		}
		for partition, end := range ends {
			if end == 0 {
				continue
			}
			records, err := consumer.ConsumePartition(table, partition, sarama.OffsetOldest)
			if err != nil {
				return 0, err
			}
			reading.Go(func() {
				for m := range records.Messages() {
					if m.Offset >= end-1 {
						break
					}
				}
			})
			defer records.AsyncClose()
		}
	}
	reading.Wait()
	return time.Since(began), nil
}

// collection is what the Go runtime says of its collections (GODEBUG=gctrace=1).
type collection struct {
	cpu   float64 // seconds of all cores
	pause float64 // milliseconds, the longer of the two
}

// parseCollection reads a line like "gc 5 @2.1s 3%: 0.018+1.3+0.076 ms clock,
// 0.036+0.1/0.9/0.3+0.15 ms cpu, ...". Time that cores were idle is none of the
// collector's: the third of the numbers between the slashes.
func parseCollection(line string) (c collection, ok bool) {
	if !strings.HasPrefix(line, "gc ") {
		return c, false
	}
	_, rest, ok := strings.Cut(line, "%: ")
	clock, rest, ok2 := strings.Cut(rest, " ms clock, ")
	cpu, _, ok3 := strings.Cut(rest, " ms cpu")
	phases := strings.Split(clock, "+")
	if !ok || !ok2 || !ok3 || len(phases) != 3 {
		return c, false
	}
	number := func(text string) float64 {
		v, err := strconv.ParseFloat(text, 64)
		ok = ok && err == nil
		return v
	}
	c.pause = max(number(phases[0]), number(phases[2]))
	for _, phase := range strings.Split(cpu, "+") {
		for i, part := range strings.Split(phase, "/") {
			if v := number(part); i < 2 {
				c.cpu += v / 1000
			}
		}
	}
	return c, ok
}

// collectionWithin is longer than Go's runtime lets pass without a collection.
const collectionWithin = 150 * time.Second

// collector measures the share of a gateway's CPU that goes to collections while it is
// asked as often as it answers, and the longest pause. A turn lasts until there was a
// collection: with a large heap they are far apart.
func (b *bench) collector(ctx context.Context, s *served) error {
	var mu sync.Mutex
	var seen []collection
	c, _, err := s.api(ctx, b, func(line string) {
		if one, ok := parseCollection(line); ok {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, one)
		}
	}, "GODEBUG=gctrace=1")
	if err != nil {
		return err
	}
	asks := everyone(s.world).on(c.url, lookupConnections)
	turn := func(ctx context.Context) (figures, error) {
		mu.Lock()
		seen = nil
		mu.Unlock()
		before, err := c.metric("process_cpu_seconds_total")
		for began := time.Now(); err == nil && time.Since(began) < collectionWithin; {
			_, err = asks.closed(ctx, b.lasts())
			mu.Lock()
			some := len(seen) > 0
			mu.Unlock()
			if some {
				break
			}
		}
		if err != nil {
			return nil, err
		}
		after, err := c.metric("process_cpu_seconds_total")
		got := figures{"gc": 0, "pause": 0}
		mu.Lock()
		defer mu.Unlock()
		if err == nil && len(seen) == 0 {
			err = fmt.Errorf("the process has collected no garbage in %s: unset GOGC and GODEBUG, and measure again", collectionWithin)
		}
		for _, one := range seen {
			got["gc"] += 100 * one.cpu / (after - before)
			got["pause"] = max(got["pause"], one.pause)
		}
		return got, err
	}
	err = b.turns(ctx, comparison{
		row: "api", tipoff: turn, withoutFirst: true, // which has the collection at the end of the start
		figures: []figure{
			{name: "gc", what: "garbage collection's share of CPU at full lookup load", unit: "%", reach: []Reach{itselfAtMost(5)}},
			{name: "pause", what: "the longest pause meanwhile", unit: "ms", reach: []Reach{itselfAtMost(1)}},
		},
	})
	return errors.Join(err, c.end())
}

// memoryRow measures what a whole process holds.
func (b *bench) memoryRow(ctx context.Context) (err error) {
	if err := b.stopShared(); err != nil {
		return err
	}
	h, err := b.newHome(ctx, b.large())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	turn := func(ctx context.Context) (figures, error) {
		c, err := startChild(ctx, b.environment(h.folder, nil), h.folder, nil, "run")
		if err != nil {
			return nil, err
		}
		_, err = c.ready(ctx)
		if err == nil {
			_, err = everyone(h.world).on(c.url, lookupConnections).closed(ctx, b.lasts())
		}
		held := c.resident()
		return figures{"memory": float64(held) / 1e6}, errors.Join(err, c.end())
	}
	return b.turns(ctx, comparison{
		row: "memory", tipoff: turn,
		figures: []figure{{name: "memory", what: fmt.Sprintf("resident memory of the whole process, %d bettors of %d bets, %d events", h.bettors, h.bets, h.size.events),
			unit: "MB", reach: []Reach{itselfAtMost(600)}}},
	})
}

// allocations measures what a gateway allocates for one lookup, and for one post.
func (b *bench) allocations(ctx context.Context) (err error) {
	if err := b.stopShared(); err != nil {
		return err
	}
	s, err := b.serve(ctx, b.usual())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	c, _, err := s.api(ctx, b, nil)
	if err != nil {
		return err
	}
	count := func(l *load) side {
		return func(ctx context.Context) (figures, error) {
			before, err := c.metric("go_memstats_mallocs_total")
			if err != nil {
				return nil, err
			}
			a, err := l.closed(ctx, b.lasts())
			if err != nil {
				return nil, err
			}
			after, err := c.metric("go_memstats_mallocs_total")
			return figures{"allocations": (after - before) / float64(a.count)}, err
		}
	}
	for _, kind := range []struct {
		what  string
		load  *load
		reach float64
	}{
		{"one lookup, not kept", everyone(s.world).on(c.url, lookupConnections), 5},
		{"one lookup, answers kept", zipf(s.world).on(c.url, lookupConnections), 5},
		{"one single post of a coupon", s.slips().posting(c.url, lookupConnections, 1), 20},
	} {
		err = errors.Join(err, b.turns(ctx, comparison{
			row: "allocations", tipoff: count(kind.load), withoutFirst: true,
			figures: []figure{{name: "allocations", what: "of " + kind.what, unit: "allocations", reach: []Reach{itselfAtMost(kind.reach)}}},
		}))
	}
	return errors.Join(err, c.end())
}
