package http

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tipoff"
)

// bulky is a recommender whose lists of events take 8 MiB.
type bulky struct{ *ports }

func (b bulky) OpenEvents(string, tipoff.EventFilter, time.Time) ([]tipoff.Event, string, error) {
	e := b.event("e")
	e.Extra = jsontext.Value(`{"x":"` + strings.Repeat("x", 8<<20) + `"}`)
	return []tipoff.Event{e}, "", nil
}

// until waits for a condition, for ten seconds at the most.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker, deadline := time.NewTicker(time.Millisecond), time.After(10*time.Second)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestServer_ResponsesThatNobodyReadsAreBounded(t *testing.T) {
	p := &ports{items: 3}
	g := start(t, func(o *Options) {
		o.API = func() *API { return &API{Publisher: p, Recommender: bulky{p}, Archive: archive{p}} }
	})
	u, _ := url.Parse(g.server.URL())
	const fit = maxUnderWay * 3 / 4 / (8<<20 + 1<<10)
	for range fit {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		fmt.Fprintf(conn, "GET /v1/events HTTP/1.1\r\nHost: %s\r\n\r\n", u.Host)
		defer conn.Close()
	}
	until(t, "all responses wait for their readers", func() bool { return g.server.underWay.bytes.Load() > fit*8<<20 })
	a := g.ask("GET", "/v1/events", "")
	g.want(a, 429, `"title":"too much is under way"`)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	g.want(g.ask("GET", "/v1/recommendations?user_id=u", ""), 200)
	g.want(g.ask("GET", "/healthz", ""), 200)
	g.want(g.ask("POST", "/v1/users", goodUser), 202)
}

func TestServer_ResponsesThatAreSentAreUnderWayNoMore(t *testing.T) {
	g := start(t)
	g.want(g.ask("GET", "/v1/events", ""), 200)
	g.want(g.ask("POST", "/register_user", goodUser), 200)
	g.want(g.ask("POST", "/v1/users", "{}"), 400)
	u, _ := url.Parse(g.server.URL())
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: %s\r\n\r\n", u.Host)
	conn.Close()
	until(t, "nothing is under way", func() bool { return g.server.underWay.bytes.Load() == 0 })
}
