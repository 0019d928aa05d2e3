package http

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

// aStatus is what a test's process says of itself.
func aStatus() Status {
	lag, now := int64(0), time.Now().UTC()
	return Status{Version: "v1", Role: "run", Ready: true, Started: now, Parts: []StatusPart{
		{Name: "gateway", State: PartReady, Since: &now, Lag: &lag},
		{Name: "learner", State: PartAbsent, Do: "ask the process that has this role"},
	}}
}

func withStatus(o *Options) { o.Status = aStatus }

// open opens a stream, whose connection ends with the test.
func (g *gateway) open(header ...string) (net.Conn, *http.Response) {
	g.Helper()
	conn, err := net.Dial("tcp", g.server.listener.Addr().String())
	if err != nil {
		g.Fatal(err)
	}
	g.Cleanup(func() { _ = conn.Close() })
	fmt.Fprintf(conn, "GET /v1/status/stream HTTP/1.1\r\nHost: %s\r\n", conn.RemoteAddr())
	for i := 0; i < len(header); i += 2 {
		fmt.Fprintf(conn, "%s: %s\r\n", header[i], header[i+1])
	}
	fmt.Fprint(conn, "\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	a, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		g.Fatal(err)
	}
	return conn, a
}

// event reads the next status of a stream.
func event(t *testing.T, lines *bufio.Scanner) (s Status) {
	t.Helper()
	for lines.Scan() {
		if data, found := strings.CutPrefix(lines.Text(), "data: "); found {
			if err := json.Unmarshal([]byte(data), &s); err != nil {
				t.Fatalf("%v: %s", err, data)
			}
			return s
		}
	}
	t.Fatalf("the stream has ended: %v", lines.Err())
	return s
}

func TestStatus_HasRatesFromTheSecondOneOn(t *testing.T) {
	g := start(t, withStatus)
	var first, later Status
	a := g.ask("GET", "/v1/status", "")
	g.want(a, 200, `"posts_per_second":null`, `"state":"absent"`, `"since":null`, `"lag_records":0`)
	if err := json.Unmarshal([]byte(a.body), &first); err != nil {
		t.Fatal(err)
	}
	until(t, "rates", func() bool { // a status may come between a lookup and a post
		for range 10 {
			g.want(g.ask("GET", "/v1/recommendations?user_id=u", ""), 200)
		}
		g.want(g.ask("POST", "/v1/users", goodUser), 202)
		if err := json.Unmarshal([]byte(g.ask("GET", "/v1/status", "").body), &later); err != nil {
			t.Fatal(err)
		}
		return later.Lookups != nil && *later.Lookups > 0 && later.Posts != nil && *later.Posts > 0
	})
	if *later.Lookups <= *later.Posts || !later.At.After(first.At) {
		t.Errorf("%+v after ten times as many lookups as posts", later)
	}
	g.want(g.ask("GET", "/v1/status?x=1", ""), 400, "is not a parameter")
}

func TestStatus_IsTakenOnlyWhileSomebodyAsks(t *testing.T) {
	var times atomic.Int64
	g := start(t, func(o *Options) {
		o.Status = func() Status { times.Add(1); return aStatus() }
	})
	for range 20 {
		g.ask("GET", "/v1/status", "")
	}
	if n := times.Load(); n > 3 { // the second may have changed
		t.Errorf("taken %d times for one second's questions", n)
	}
	g.server.board.mu.Lock()
	g.server.board.asked = time.Now().Add(-2 * statusKept)
	g.server.board.mu.Unlock()
	until(t, "nobody takes it", func() bool {
		g.server.board.mu.Lock()
		defer g.server.board.mu.Unlock()
		return !g.server.board.running && g.server.board.text == nil
	})
	g.want(g.ask("GET", "/v1/status", ""), 200, `"posts_per_second":null`)
}

func TestStatus_APartThatDoesNotAnswerIsAnsweredWith503(t *testing.T) {
	stuck := make(chan struct{})
	g := start(t, func(o *Options) {
		o.Status = func() Status { <-stuck; return aStatus() }
	})
	if _, err := g.server.board.newest(time.Millisecond); kindOf(err) == nil || kindOf(err).status != 503 {
		t.Errorf("answered with %v", err)
	}
	close(stuck)
	g.want(g.ask("GET", "/v1/status", ""), 200)
}

func TestStream_SendsTheStatusAgainAndAgain(t *testing.T) {
	g := start(t, withStatus)
	_, a := g.open("X-Request-Id", "mine")
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != "text/event-stream" || a.Header.Get("X-Request-Id") != "mine" ||
		a.Header.Get("Cache-Control") != "no-store" || a.ContentLength >= 0 {
		t.Errorf("answered %d, %v", a.StatusCode, a.Header)
	}
	lines := bufio.NewScanner(a.Body)
	one, two := event(t, lines), event(t, lines)
	if one.Role != "run" || !two.At.After(one.At) || two.Lookups == nil {
		t.Errorf("%+v, then %+v", one, two)
	}
	g.want(g.ask("HEAD", "/v1/status/stream", ""), 200)
	g.want(g.ask("GET", "/v1/status/stream?x=1", ""), 400)
}

// The write timeout of responses is shorter than this stream lives: fasthttp has set a
// deadline for the response that is none.
func TestStream_OutlivesTheTimeoutOfResponses(t *testing.T) {
	g := start(t, withStatus, func(o *Options) { o.ReadTimeout, o.patience = 50*time.Millisecond, 50*time.Millisecond })
	_, a := g.open()
	lines := bufio.NewScanner(a.Body)
	event(t, lines)
	event(t, lines)
	event(t, lines)
}

func TestStream_AsksForTheKey(t *testing.T) {
	g := start(t, withStatus, func(o *Options) { o.Key = "secret" })
	g.want(g.ask("GET", "/v1/status/stream", ""), 401)
	g.want(g.ask("GET", "/v1/status", ""), 401)
	if _, a := g.open("X-API-Key", "secret"); a.StatusCode != 200 {
		t.Errorf("with the key: %d", a.StatusCode)
	}
}

func TestStream_OneReaderTooManyIs503UntilAnotherGoes(t *testing.T) {
	g := start(t, withStatus)
	var first net.Conn
	for i := range maxReaders {
		conn, a := g.open()
		if a.StatusCode != 200 {
			t.Fatalf("reader %d: %d", i, a.StatusCode)
		}
		if first == nil {
			first = conn
		}
	}
	a := g.ask("GET", "/v1/status/stream", "")
	g.want(a, 503, "64")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	g.want(g.ask("GET", "/v1/status", ""), 200) // as others are served
	_ = first.Close()
	until(t, "there is room again", func() bool {
		_, a := g.open()
		return a.StatusCode == 200
	})
}

// TestStream_OfASlowReaderDoesNotGrow: one who takes nothing has one page waiting, however
// many come, and is cut off.
func TestStream_OfASlowReaderDoesNotGrow(t *testing.T) {
	r := &reader{pages: make(chan []byte, 1), ended: make(chan struct{})}
	ours, theirs := net.Pipe() // nothing is kept between the two
	defer theirs.Close()
	ended := make(chan error, 1)
	go func() { ended <- r.write(ours, make([]byte, 1<<20), 300*time.Millisecond) }()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 10_000 {
		r.give(append(make([]byte, 0, 10<<10), fmt.Sprint(i)...))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 || len(r.pages) != 1 {
		t.Errorf("grew by %d bytes, %d pages wait", grown, len(r.pages))
	}
	if page := string(<-r.pages); page != "9999" {
		t.Errorf("page %s waits, want the newest", page)
	}
	if err := <-ended; err == nil {
		t.Error("one who takes nothing is written to for ever")
	}
}

func TestStream_EndsWithTheProcessAlsoWhereNobodyReads(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	server, err := Start(Options{Addr: "127.0.0.1:0", Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler), Status: aStatus})
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{T: t, server: server}
	_, a := g.open()
	lines := bufio.NewScanner(a.Body)
	event(t, lines)
	slow := &reader{pages: make(chan []byte, 1), ended: make(chan struct{})}
	ours, theirs := net.Pipe()
	defer theirs.Close()
	g.server.board.mu.Lock()
	g.server.board.readers[slow] = struct{}{}
	g.server.board.going.Add(1)
	g.server.board.mu.Unlock()
	var writing sync.WaitGroup
	writing.Go(func() {
		slow.stream(ours, []byte("head"))
		g.server.board.leave(slow)
	})
	until(t, "it is written to", func() bool {
		slow.mu.Lock()
		defer slow.mu.Unlock()
		return slow.conn != nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := g.server.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what was sent before
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the stream was cut: %v", err)
	}
	writing.Wait()
	if _, err := g.server.board.join(); kindOf(err) == nil || kindOf(err).status != 503 {
		t.Errorf("a reader after the end: %v", err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	// This one of fasthttp's sleeps for 10 s, and then sees that it shall end.
	goleak.VerifyNone(t, leaks, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// TestClose_AStatusThatDoesNotComeLeavesTheRequestsTheirTime.
func TestClose_AStatusThatDoesNotComeLeavesTheRequestsTheirTime(t *testing.T) {
	gate, asked := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(asked) })
	var options Options
	start(t, func(o *Options) { options = *o })
	options.Registry = prometheus.NewRegistry()
	options.Status = func() Status {
		once()
		<-gate
		return Status{}
	}
	server, err := Start(options)
	if err != nil {
		t.Fatal(err)
	}
	defer close(gate)
	g := &gateway{T: t, server: server}
	_, a := g.open()
	defer a.Body.Close()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := server.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Errorf("%v; of the time for all: %v", err, ctx.Err())
	}
}
