// Package generator simulates companies and their bettors against a running
// Tipoff, through its public API alone: the data of the old service's generator, a
// sportsbook with stable tastes, and recorded logs.
//
// The same seed and the same moment make the same data, so a [Sportsbook] also serves
// tests and measurements without a [Client]. What a client cannot post at once it posts
// again, with the same ids; what it has given up is counted, not returned as an error.
package generator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"
	"golang.org/x/time/rate"

	"tipoff"
)

// maxPost is how many items one request carries.
const maxPost = 500

// Client posts facts to a Tipoff and counts what became of them.
type Client struct {
	URL   string        // of the service, as http://127.0.0.1:5000
	Key   string        // of the API; "": none
	Limit *rate.Limiter // items a second; nil: as fast as it goes

	http fasthttp.Client

	Accepted atomic.Int64 // items that the broker has
	Rejected atomic.Int64 // items that broke a bound
	Failed   atomic.Int64 // items given up after retries
}

// The service may be full or its broker away for a moment: the same items are
// sent again, which their ids make safe.
const (
	attempts  = 30
	pauseMost = 2 * time.Second
	patience  = 30 * time.Second // for one answer
)

// reachable is how long a service may take to say that it lives.
const reachable = 5 * time.Second

// Reach returns an error that says what to do unless a service is at the URL. Once
// something was posted, a service that is away is waited for; before, it is rather the
// address that is wrong.
func (c *Client) Reach() error {
	if _, _, err := c.http.GetTimeout(nil, strings.TrimSuffix(c.URL, "/")+"/healthz", reachable); err != nil {
		return fmt.Errorf("nothing can be posted to %s (%w): start Tipoff there, or say where it is with --url http://host:port", c.URL, err)
	}
	return nil
}

// Users posts users.
func (c *Client) Users(ctx context.Context, users []tipoff.User) error {
	return post(ctx, c, "/v1/users", users)
}

// Events posts events.
func (c *Client) Events(ctx context.Context, events []tipoff.Event) error {
	return post(ctx, c, "/v1/events", events)
}

// Coupons posts coupons.
func (c *Client) Coupons(ctx context.Context, coupons []tipoff.Coupon) error {
	return post(ctx, c, "/v1/coupons", coupons)
}

// batch is some facts that are posted together: the users, then the events, then the
// coupons, so that nothing is sent before what it speaks of.
type batch struct {
	users   []tipoff.User
	events  []tipoff.Event
	coupons []tipoff.Coupon
}

func (b *batch) size() int { return len(b.users) + len(b.events) + len(b.coupons) }

func (b *batch) post(ctx context.Context, c *Client) error {
	if err := c.Users(ctx, b.users); err != nil {
		return err
	}
	if err := c.Events(ctx, b.events); err != nil {
		return err
	}
	return c.Coupons(ctx, b.coupons)
}

// Report says what became of the items that were posted.
func (c *Client) Report(out io.Writer, took time.Duration) error {
	accepted, rejected, failed := c.Accepted.Load(), c.Rejected.Load(), c.Failed.Load()
	fmt.Fprintf(out, "accepted %d, rejected %d, failed %d, in %s (%.0f a second)\n",
		accepted, rejected, failed, took.Round(time.Millisecond), float64(accepted)/took.Seconds())
	if failed > 0 {
		return fmt.Errorf("%d items could not be posted: is the service ready? see %s/readyz", failed, c.URL)
	}
	return nil
}

// post sends the items in order, some at a time. The error is ctx's, or that the
// service cannot be used at all; items it refuses are counted.
func post[T any](ctx context.Context, c *Client, path string, items []T) error {
	for len(items) > 0 {
		n := min(len(items), maxPost)
		if c.Limit != nil {
			n = min(n, max(1, c.Limit.Burst()))
			if err := c.Limit.WaitN(ctx, n); err != nil {
				return err
			}
		}
		if err := c.send(ctx, path, items[:n], n); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// send posts one batch until it is accepted or refused for good.
func (c *Client) send(ctx context.Context, path string, items any, n int) error {
	body, err := json.Marshal(items)
	if err != nil {
		return fmt.Errorf("marshal items: %w", err)
	}
	pause := 50 * time.Millisecond
	for range attempts {
		status, answer, err := c.do(path, body)
		switch {
		case err != nil: // the service may be restarting
		case status == fasthttp.StatusAccepted, status == fasthttp.StatusMultiStatus:
			var got struct {
				Accepted int64 `json:"accepted"`
			}
			if err := json.Unmarshal(answer, &got); err != nil {
				return fmt.Errorf("POST %s: an answer that is not Tipoff's: %.200s", path, answer)
			}
			c.Accepted.Add(got.Accepted)
			c.Rejected.Add(int64(n) - got.Accepted)
			return nil
		case status == fasthttp.StatusBadRequest:
			c.Rejected.Add(int64(n))
			return nil
		case status == fasthttp.StatusTooManyRequests, status == fasthttp.StatusServiceUnavailable:
		default:
			return fmt.Errorf("POST %s%s: status %d: %.300s", c.URL, path, status, answer)
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, pauseMost)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.Failed.Add(int64(n))
	return nil
}

func (c *Client) do(path string, body []byte) (status int, answer []byte, err error) {
	q, a := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(q)
	defer fasthttp.ReleaseResponse(a)
	q.Header.SetMethod(fasthttp.MethodPost)
	q.SetRequestURI(strings.TrimSuffix(c.URL, "/") + path)
	q.Header.SetContentType("application/json")
	if c.Key != "" {
		q.Header.Set("X-API-Key", c.Key)
	}
	q.SetBodyRaw(body)
	if err := c.http.DoTimeout(q, a, patience); err != nil {
		return 0, nil, err
	}
	return a.StatusCode(), append([]byte(nil), a.Body()...), nil
}

// errNothing is a request for no data at all.
var errNothing = errors.New("asked for nothing: counts must be 1 or more")
