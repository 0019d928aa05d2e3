package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"
)

// console measures lookups on a busy process while one page of the console is open: it
// follows the status, and asks for one bettor's recommendations once a second.
func (b *bench) console(ctx context.Context) error {
	n, h, err := b.shared(ctx, b.large())
	if err != nil {
		return err
	}
	bets := h.slips()
	asks := everyone(h.world).on(n.URL(), lookupConnections)
	page := consolePage{url: n.URL(), user: h.world.users[0].ID}
	busily := func(ctx context.Context) (figures, error) {
		stop := bets.background(ctx, n.URL(), busyRate)
		a, err := asks.closed(ctx, 2*b.lasts())
		taken, stopped := stop()
		if err := errors.Join(err, stopped, settled(ctx, n.Cluster())); err != nil {
			return nil, err
		}
		got := a.figures()
		got["taken"] = taken
		return got, nil
	}
	if err := b.pageCost(ctx, n.URL(), bets, page); err != nil {
		return err
	}
	what := fmt.Sprintf("recommendations while %d coupons/s are learnt and a page of the console is open", busyRate)
	return b.turns(ctx, comparison{
		row: "console", against: "itself, no page open", other: busily, withoutFirst: true, pairs: 3,
		tipoff: func(ctx context.Context) (figures, error) {
			closePage, err := page.open(ctx)
			if err != nil {
				return nil, err
			}
			got, err := busily(ctx)
			events, failed := closePage()
			if err := errors.Join(err, failed); err != nil {
				return nil, err
			}
			got["events"] = float64(events)
			return got, nil
		},
		figures: append(lookupFigures(what, atLeast(.98), atMost(1.5)),
			figure{name: "events", what: "statuses that the page had in a turn", unit: "events"}),
	})
}

// pageCost measures which share of the processors' time a page takes while coupons come in
// and nobody asks for anything else: what lookups at full load can lose by it. The process
// is the page's client too.
func (b *bench) pageCost(ctx context.Context, url string, bets *slips, page consolePage) error {
	used := func(ctx context.Context, isOpen bool) (cpu float64, err error) {
		closePage := func() (int, error) { return 0, nil }
		if isOpen {
			if closePage, err = page.open(ctx); err != nil {
				return 0, err
			}
		}
		before, err := metricAt(url, "process_cpu_seconds_total")
		if err == nil && !until(ctx, time.Now().Add(2*b.lasts())) {
			err = ctx.Err()
		}
		after, failed := metricAt(url, "process_cpu_seconds_total")
		_, shut := closePage()
		return after - before, errors.Join(err, failed, shut)
	}
	return b.turns(ctx, comparison{
		row: "console", withoutFirst: true, figures: []figure{{name: "cpu", reach: []Reach{itselfAtMost(2)}, unit: "%",
			what: fmt.Sprintf("a page's share of the processors' time, while %d coupons/s are learnt", busyRate)}},
		tipoff: func(ctx context.Context) (figures, error) {
			stop := bets.background(ctx, url, busyRate)
			extra := 0.0
			var err error
			for _, isOpen := range []bool{true, false, false, true, true, false, false, true} {
				var cpu float64
				if cpu, err = used(ctx, isOpen); err != nil {
					break
				}
				if !isOpen {
					cpu = -cpu
				}
				extra += cpu
			}
			_, stopped := stop()
			return figures{"cpu": 100 * extra / (4 * 2 * b.lasts().Seconds() * float64(runtime.GOMAXPROCS(0)))}, errors.Join(err, stopped)
		},
	})
}

// consolePage is what a page of the console asks for.
type consolePage struct{ url, user string }

// pagePatience bounds a question of the page, which waits behind all others.
const pagePatience = 10 * time.Second

// open opens the page, and waits until it has shown something: what counts is a page left
// open. It returns what closes it, which returns how many statuses the page
// had, and the first error of any of its requests.
func (p *consolePage) open(ctx context.Context) (closePage func() (events int, err error), err error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := p.get(ctx, "/v1/status/stream")
	if err != nil {
		cancel()
		return nil, err
	}
	events, failed, shown := make(chan int, 1), make(chan error, 1), make(chan struct{})
	go func() { events <- countEvents(stream, sync.OnceFunc(func() { close(shown) })) }()
	go func() { failed <- p.poll(ctx) }()
	select {
	case <-shown:
	case <-time.After(pagePatience): // the page is closed without a status, which is an error
	}
	return func() (int, error) {
		cancel()
		err := <-failed
		n := <-events
		if err == nil && n == 0 {
			err = errors.New("the page had no status")
		}
		return n, err
	}, nil
}

// countEvents reads a stream to its end, and calls shown at each status.
func countEvents(stream *http.Response, shown func()) (events int) {
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data: ") {
			events++
			shown()
		}
	}
	return events
}

// poll asks for recommendations once a second until ctx ends.
func (p *consolePage) poll(ctx context.Context) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		asking, cancel := context.WithTimeout(ctx, pagePatience)
		a, err := p.get(asking, recommendPath+"?n=10&user_id="+p.user)
		if err == nil {
			err = a.Body.Close()
		}
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (p *consolePage) get(ctx context.Context, path string) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return nil, err
	}
	a, err := http.DefaultClient.Do(q)
	if err == nil && a.StatusCode != http.StatusOK {
		err = errors.Join(fmt.Errorf("GET %s: status %d", path, a.StatusCode), a.Body.Close())
	}
	return a, err
}
