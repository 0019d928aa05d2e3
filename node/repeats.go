package node

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// repeatsEvery is how often the same fault is logged.
const repeatsEvery = time.Minute

// repeats is a log in which the same fault of the same part stands once, and then once
// every minute with how often it was there meanwhile. Only warnings and errors are held
// back: what fails is tried again, and fails again.
type repeats struct {
	slog.Handler
	bound string // what [repeats.WithAttrs] has added
	seen  *seenFaults
}

type seenFaults struct {
	every time.Duration
	mu    sync.Mutex
	by    map[string]*repeated
}

// repeated is a fault that was logged within the last minute.
type repeated struct {
	times int         // since then
	last  slog.Record // of those
}

func newRepeats(next slog.Handler, every time.Duration) slog.Handler {
	return &repeats{Handler: next, seen: &seenFaults{every: every, by: map[string]*repeated{}}}
}

func (r *repeats) WithAttrs(attrs []slog.Attr) slog.Handler {
	bound := r.bound
	for _, a := range attrs {
		bound += fault(a)
	}
	return &repeats{r.Handler.WithAttrs(attrs), bound, r.seen}
}

func (r *repeats) WithGroup(name string) slog.Handler {
	return &repeats{r.Handler.WithGroup(name), r.bound, r.seen}
}

// fault is what an attribute tells of which fault it is: errors name ports and offsets,
// which differ each time.
func fault(a slog.Attr) string {
	switch a.Key {
	case "part", "group", "table", "topic", "log", "kind", "route":
		return "\n" + a.Key + "=" + a.Value.String()
	}
	return ""
}

func (r *repeats) Handle(ctx context.Context, record slog.Record) error {
	if record.Level < slog.LevelWarn {
		return r.Handler.Handle(ctx, record)
	}
	var key strings.Builder
	key.WriteString(record.Message + r.bound)
	record.Attrs(func(a slog.Attr) bool {
		key.WriteString(fault(a))
		return true
	})
	r.seen.mu.Lock()
	if known := r.seen.by[key.String()]; known != nil {
		known.times++
		known.last = record.Clone()
		r.seen.mu.Unlock()
		return nil
	}
	r.seen.by[key.String()] = new(repeated)
	r.seen.mu.Unlock()
	time.AfterFunc(r.seen.every, func() { r.again(key.String()) })
	return r.Handler.Handle(ctx, record)
}

// again logs how often a fault was there since it was logged, or forgets it.
func (r *repeats) again(key string) {
	r.seen.mu.Lock()
	known := r.seen.by[key]
	if known.times == 0 {
		delete(r.seen.by, key)
		r.seen.mu.Unlock()
		return
	}
	record := known.last
	record.AddAttrs(slog.Int("times", known.times), slog.Duration("within", r.seen.every))
	known.times = 0
	r.seen.mu.Unlock()
	_ = r.Handler.Handle(context.Background(), record)
	time.AfterFunc(r.seen.every, func() { r.again(key) })
}
