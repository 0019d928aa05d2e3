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
// of one side for it, then runs the processors until the view of the bettors' table has
// counted enough, and returns how much a second. Joining the group takes all as long:
// the time runs from the first value in the table.
func (b *bench) stream(ctx context.Context, records []topics.Record, graphs []processors.Graph,
	count func(broker.Update) uint64, enough uint64) (rate float64, err error) {
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
	if err := publishAll(ctx, cluster, records); err != nil {
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
		return float64(enough) / time.Since(time.Unix(0, first.Load())).Seconds(), nil
	case <-time.After(streamPatience):
		return 0, fmt.Errorf("after %s %d of %d are through: measure with --small, or on a machine that is idle", streamPatience, counted.Load(), enough)
	case <-ctx.Done():
		return 0, ctx.Err()
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
