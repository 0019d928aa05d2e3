package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"
)

// load is requests to one server, each from one of so many connections. prepare makes
// request number i out of one that was sent before; what it sets stays set.
type load struct {
	url         string // of the server, as http://127.0.0.1:5000
	connections int
	prepare     func(q *fasthttp.Request, i uint64)
	begun       atomic.Uint64 // requests prepared over all runs, so that each has a number of its own
}

// answers is what a run of load came to.
type answers struct {
	count uint64 // answered with 2xx
	took  time.Duration
	times *hdrhistogram.Histogram // of them, microseconds
}

// Bounds of a latency, microseconds, and how exactly it is kept, decimal digits.
const (
	timeLeast, timeMost = 1, 120_000_000
	timeDigits          = 3
)

func newTimes() *hdrhistogram.Histogram { return hdrhistogram.New(timeLeast, timeMost, timeDigits) }

// rate is answers a second.
func (a *answers) rate() float64 { return float64(a.count) / a.took.Seconds() }

// at is the latency below which the share q of the answers lies, in milliseconds.
func (a *answers) at(q float64) float64 { return float64(a.times.ValueAtQuantile(100*q)) / 1000 }

// figures are the answers as turns compare them: "rate" a second, "p50" and "p99" in
// milliseconds.
func (a *answers) figures() figures {
	return figures{"rate": a.rate(), "p50": a.at(0.5), "p99": a.at(0.99)}
}

// closed sends on each connection the next request when the last one is answered. A
// latency is that of the answer alone: what waits for a slow one is not sent, and so
// not seen. The error is the first one of any request.
func (l *load) closed(ctx context.Context, lasts time.Duration) (*answers, error) {
	began := time.Now()
	return l.run(ctx, began, func(uint64) (due time.Time, ok bool) {
		now := time.Now()
		return now, now.Sub(began) < lasts
	})
}

// open sends requests at a rate a second, whether those before are answered or not, as
// far as there are connections. A latency runs from when the request was due: what had
// to wait for a connection counts with its waiting. A server that cannot keep up is
// given half as long again as lasts; then what was not sent is an [errSaturated].
func (l *load) open(ctx context.Context, rate float64, lasts time.Duration) (*answers, error) {
	all, began := uint64(rate*lasts.Seconds()), time.Now()
	giveUp := began.Add(lasts * 3 / 2)
	var late atomic.Bool
	a, err := l.run(ctx, began, func(turn uint64) (due time.Time, ok bool) {
		due = began.Add(time.Duration(float64(turn) / rate * float64(time.Second)))
		if turn >= all {
			return due, false
		}
		if time.Now().After(giveUp) {
			late.Store(true)
			return due, false
		}
		return due, until(ctx, due)
	})
	if err == nil && late.Load() {
		err = errSaturated
	}
	return a, err
}

// errSaturated says that a server answers less than it is sent.
var errSaturated = errors.New("the server does not keep up with the rate")

// until waits for a moment, and is false when ctx ends first.
func until(ctx context.Context, moment time.Time) bool {
	wait := time.Until(moment)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// run has each connection ask next for its turn, which says when the request is due and
// whether there is one, until there is none. Where ctx ends it, the answers until then
// are returned with its error.
func (l *load) run(ctx context.Context, began time.Time, next func(turn uint64) (due time.Time, ok bool)) (*answers, error) {
	address, err := url.Parse(l.url)
	if err != nil {
		return nil, err
	}
	var turns atomic.Uint64
	var failed atomic.Pointer[error]
	all := make([]*hdrhistogram.Histogram, l.connections)
	var running sync.WaitGroup
	for i := range all {
		all[i] = newTimes()
		running.Go(func() {
			if err := l.connection(ctx, address.Host, &turns, next, all[i], &failed); err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
	}
	running.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	a := &answers{took: time.Since(began), times: newTimes()}
	for _, times := range all {
		a.times.Merge(times)
	}
	a.count = uint64(a.times.TotalCount())
	return a, ctx.Err()
}

// connection sends requests one after the other until there is none, or one has failed
// on any connection.
func (l *load) connection(ctx context.Context, host string, turns *atomic.Uint64, next func(uint64) (time.Time, bool),
	times *hdrhistogram.Histogram, failed *atomic.Pointer[error]) error {
	client := fasthttp.HostClient{Addr: host, MaxConns: 1, ReadBufferSize: 16 << 10}
	defer client.CloseIdleConnections()
	q, a := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(q)
	defer fasthttp.ReleaseResponse(a)
	for ctx.Err() == nil && failed.Load() == nil {
		due, ok := next(turns.Add(1) - 1)
		if !ok {
			break
		}
		l.prepare(q, l.begun.Add(1)-1)
		if err := client.Do(q, a); err != nil {
			return fmt.Errorf("%s %s: %w", q.Header.Method(), q.URI().Path(), err)
		}
		if a.StatusCode()/100 != 2 {
			return fmt.Errorf("%s %s: status %d: %.200s", q.Header.Method(), q.URI().Path(), a.StatusCode(), a.Body())
		}
		_ = times.RecordValue(min(timeMost, max(timeLeast, time.Since(due).Microseconds()))) // within its bounds
	}
	return nil
}
