package node

import (
	"context"
	"time"

	"tipoff/broker"
	"tipoff/processors"
	"tipoff/topics"
)

const (
	sweepMost = 10 * time.Minute // how late an expiry may be at most
	askAtOnce = 500              // values asked with one publish
)

// sweep looks for values of a table that may have expired, and asks them.
func (r *runningSet) sweep(ctx context.Context, p *broker.Processor, expiry *processors.Expiry) error {
	wait := r.node.settings.EventWait
	if wait <= 0 {
		return nil
	}
	ticker := time.NewTicker(max(time.Second, min(wait/100, sweepMost)))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			r.ask(ctx, p, expiry, now, wait)
		}
	}
}

// ask asks what may be due at a moment. What cannot be asked now is asked the next time.
func (r *runningSet) ask(ctx context.Context, p *broker.Processor, expiry *processors.Expiry, now time.Time, wait time.Duration) {
	keys := p.Keys(func(key string, value []byte) bool { return expiry.Due(key, value, now, wait) })
	for len(keys) > 0 {
		n := min(askAtOnce, len(keys))
		records := make([]topics.Record, n)
		for i, key := range keys[:n] {
			records[i] = expiry.Ask(r.TableSet, key, wait)
		}
		if err := r.node.publisher.Publish(ctx, records); err != nil {
			if ctx.Err() == nil {
				r.node.log.Warn("values that may have expired are asked later", "table", p.Group, "values", len(keys), "error", err)
			}
			return
		}
		keys = keys[n:]
	}
}
