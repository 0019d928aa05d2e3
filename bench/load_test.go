package bench

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// stalling starts a server that keeps every request waiting while it is stalled, and
// says how many it has answered.
func stalling(t *testing.T, stall *atomic.Pointer[time.Time]) string {
	t.Helper()
	url, closeIt, err := serveBare(fasthttp.MethodGet, "/", func(*fasthttp.RequestCtx) {
		if until := stall.Load(); until != nil {
			<-time.After(time.Until(*until)) // as long as a slow handler works
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeIt)
	return url
}

// TestOpen_CountsWhatHadToWait: a server that stands still for a while delays all
// requests that were due meanwhile, also those for which there was no connection.
func TestOpen_CountsWhatHadToWait(t *testing.T) {
	var stall atomic.Pointer[time.Time]
	l := &load{url: stalling(t, &stall), connections: 2}
	l.prepare = func(q *fasthttp.Request, i uint64) {
		q.SetRequestURI(l.url)
		if i == 200 {
			end := time.Now().Add(200 * time.Millisecond)
			stall.Store(&end)
		}
	}
	a, err := l.open(t.Context(), 500, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	// 100 of the 500 were due while it stood still, and waited for half of it on average.
	if a.count != 500 || a.at(0.85) < 20 || a.at(0.99) < 150 {
		t.Errorf("%d answers, p50 %.1f, p85 %.1f, p99 %.1f ms", a.count, a.at(0.5), a.at(0.85), a.at(0.99))
	}
}

func TestOpen_SaysWhenTheServerDoesNotKeepUp(t *testing.T) {
	far := time.Now().Add(time.Hour)
	var stall atomic.Pointer[time.Time]
	l := &load{url: stalling(t, &stall), connections: 1}
	l.prepare = func(q *fasthttp.Request, i uint64) {
		q.SetRequestURI(l.url)
		soon := time.Now().Add(20 * time.Millisecond) // at most 50 a second
		if soon.Before(far) {
			stall.Store(&soon)
		}
	}
	if _, err := l.open(t.Context(), 1000, 200*time.Millisecond); !errors.Is(err, errSaturated) {
		t.Error(err)
	}
}

func TestClosed_CountsAndNumbersRequests(t *testing.T) {
	var seen [4]atomic.Int64
	url, closeIt, err := bare(fasthttp.MethodGet, "/{i}", fasthttp.StatusOK, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt()
	l := &load{url: url, connections: 4, prepare: func(q *fasthttp.Request, i uint64) {
		seen[i%4].Add(1)
		q.SetRequestURI(fmt.Sprintf("%s/%d", url, i))
	}}
	var counted uint64
	for range 2 {
		a, err := l.closed(t.Context(), 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		counted += a.count
		if a.rate() <= 0 || a.at(0.5) <= 0 || a.at(0.5) > a.at(0.99) {
			t.Errorf("%+v", a.figures())
		}
	}
	for i := range seen {
		if n, fair := seen[i].Load(), int64(counted/4); n < fair || n > fair+1 {
			t.Errorf("of the numbers with remainder %d there were %d, of %d", i, n, counted)
		}
	}
}

func TestClosed_ReturnsTheFirstRefusal(t *testing.T) {
	url, closeIt, err := bare(fasthttp.MethodGet, "/", fasthttp.StatusServiceUnavailable, []byte("later"))
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt()
	l := &load{url: url, connections: 2, prepare: func(q *fasthttp.Request, _ uint64) { q.SetRequestURI(url + "/") }}
	if _, err := l.closed(t.Context(), time.Second); err == nil || err.Error() != "GET /: status 503: later" {
		t.Error(err)
	}
}

func TestEcho_AnswersWhatWasPosted(t *testing.T) {
	url, closeIt, err := echo("/v1/coupons")
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt()
	args := fasthttp.AcquireArgs()
	args.Set("a", "b")
	if status, body, err := fasthttp.Post(nil, url+"/v1/coupons", args); err != nil || status != fasthttp.StatusAccepted || string(body) != "a=b" {
		t.Error(status, string(body), err)
	}
}
