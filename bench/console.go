package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
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

// consolePage is what a page of the console asks for.
type consolePage struct{ url, user string }

// pagePatience bounds a question of the page, which waits behind all others.
const pagePatience = 10 * time.Second

// open opens the page. It returns what closes it, which returns how many statuses the page
// had, and the first error of any of its requests.
func (p *consolePage) open(ctx context.Context) (closePage func() (events int, err error), err error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := p.get(ctx, "/v1/status/stream")
	if err != nil {
		cancel()
		return nil, err
	}
	events, failed := make(chan int, 1), make(chan error, 1)
	go func() { events <- countEvents(stream) }()
	go func() { failed <- p.poll(ctx) }()
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

// countEvents reads a stream to its end.
func countEvents(stream *http.Response) (events int) {
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data: ") {
			events++
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
