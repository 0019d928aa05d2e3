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

	"tipoff/broker"
	"tipoff/processors"
	"tipoff/rebuild"
	"tipoff/topics"
)

// storeOnly is the least that a processor can do: it keeps each record as its key's
// value.
func storeOnly() []processors.Graph {
	return []processors.Graph{func(processors.Ownership, topics.TableSet) *goka.GroupGraph {
		return goka.DefineGroup(topics.GroupBettors,
			goka.Input(topics.Coupons, asIs{}, func(ctx goka.Context, message any) { ctx.SetValue(message) }),
			goka.Persist(asIs{}),
		)
	}}
}

type asIs struct{}

func (asIs) Encode(v any) ([]byte, error) { return v.([]byte), nil }
func (asIs) Decode(b []byte) (any, error) { return b, nil }

// streamPatience is how long a stream may take.
const streamPatience = 5 * time.Minute

// stream puts the records on an empty broker, as a table that is full would do the work
// of one side for it, then runs the processors until they are through, and returns how
// long that took. They are through when values values are in the bettors' table; where
// that is 0, when they have nothing to read, which is known to a quarter of a second.
// Joining the group takes all as long: the time runs from the first value in the table.
func (b *bench) stream(ctx context.Context, records []topics.Record, graphs []processors.Graph, values uint64) (took time.Duration, err error) {
	embedded, err := broker.OpenEmbedded(ctx, filepath.Join(b.folder, fmt.Sprint("stream", time.Now().UnixNano())), false, broker.TableValues{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, embedded.Close()) }()
	cluster, err := broker.Connect(ctx, embedded.Config(), b.settings.Layout(), slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	defer cluster.Close()
	if err := publishAll(ctx, cluster, records); err != nil {
		return 0, err
	}
	life, end := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer end()
	var counted atomic.Uint64
	first, done := make(chan time.Time, 1), make(chan time.Time, 1)
	view := cluster.NewView(topics.TableBettors, broker.TableValues{}, func(broker.Update) {
		switch n := counted.Add(1); n {
		case 1:
			first <- time.Now()
		case values:
			done <- time.Now()
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
	patience, cancel := context.WithTimeout(ctx, streamPatience)
	defer cancel()
	began, err := received(patience, first)
	if err != nil {
		return 0, err
	}
	var ended time.Time
	if values > 0 {
		ended, err = received(patience, done)
	} else {
		ended, err = quiet(patience, func() (int64, error) { return rebuild.Left(patience, cluster, topics.TableSet{}) })
	}
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("the processors are not through after %s, with %d values: measure with --small, or on a machine that is idle: %w", streamPatience, counted.Load(), err)
	}
	return ended.Sub(began), err
}

func received(ctx context.Context, moments <-chan time.Time) (time.Time, error) {
	select {
	case moment := <-moments:
		return moment, nil
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

// publishAll publishes records, some at a time.
func publishAll(ctx context.Context, cluster *broker.Cluster, records []topics.Record) error {
	publisher, err := cluster.NewPublisher(30 * time.Second)
	if err != nil {
		return err
	}
	for from := 0; from < len(records); from += writeBatch {
		if err := publisher.Publish(ctx, records[from:min(len(records), from+writeBatch)]); err != nil {
			return errors.Join(err, publisher.Close())
		}
	}
	return publisher.Close()
}
