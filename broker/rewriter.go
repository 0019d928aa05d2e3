package broker

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tipoff/topics"
)

// Rewriter asks the owners of keys to write their values again: of keys whose
// newest value on a table's topic was written by a former owner. Asking twice does
// no harm, so every process that sees such a value asks.
type Rewriter struct {
	publisher *Publisher
	request   func(key string) topics.Record
	log       *slog.Logger

	mu   sync.Mutex
	keys map[string]struct{}

	pending atomic.Int64 // how many keys there are
}

// NewRewriter prepares a rewriter; request returns the message to a key's owner.
func (c *Cluster) NewRewriter(publisher *Publisher, request func(key string) topics.Record) *Rewriter {
	return &Rewriter{publisher: publisher, request: request, log: c.log, keys: map[string]struct{}{}}
}

// Add notes a key to be written again. It never blocks.
func (r *Rewriter) Add(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys[key] = struct{}{}
	r.pending.Store(int64(len(r.keys)))
}

// Drop forgets a key whose owner has written it again meanwhile, as a reader of the
// whole table sees.
func (r *Rewriter) Drop(key string) {
	if r.pending.Load() == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys, key)
	r.pending.Store(int64(len(r.keys)))
}

// rewriteEvery is the time between requests; they are rare.
const rewriteEvery = 500 * time.Millisecond

// Run sends what was added, until ctx ends. What cannot be sent is tried again.
func (r *Rewriter) Run(ctx context.Context) error {
	ticker := time.NewTicker(rewriteEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		r.mu.Lock()
		keys := slices.Collect(maps.Keys(r.keys))
		clear(r.keys)
		r.pending.Store(0)
		r.mu.Unlock()
		if len(keys) == 0 {
			continue
		}
		r.log.Warn("values of a former owner stand on a table, their owner writes them again", "keys", len(keys), "first", keys[0])
		for part := range slices.Chunk(keys, rewriteAtOnce) {
			r.send(ctx, part)
		}
	}
}

// rewriteAtOnce is how many keys are asked for in one publication.
const rewriteAtOnce = 1000

func (r *Rewriter) send(ctx context.Context, keys []string) {
	records := make([]topics.Record, len(keys))
	for i, key := range keys {
		records[i] = r.request(key)
	}
	if err := r.publisher.Publish(ctx, records); err != nil {
		for _, key := range keys {
			r.Add(key)
		}
	}
}
