package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tipoff/topics"
)

// gate is a publisher that keeps what is large waiting.
type gate struct {
	open    chan struct{}
	waiting chan struct{}
}

func (g gate) Publish(ctx context.Context, records []topics.Record) error {
	if len(records) > 1 {
		g.waiting <- struct{}{}
		<-g.open
	}
	return nil
}

// large is a body of some 3.9 MiB that is good.
func large() string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range 950 {
		if i > 0 {
			b.WriteByte(',')
		}
		user := strings.Replace(goodUser, "u1", fmt.Sprint("u", i), 1)
		b.WriteString(user[:len(user)-1] + `,"extra":{"a":"` + strings.Repeat("x", 4000) + `"}}`)
	}
	b.WriteByte(']')
	return b.String()
}

func TestServer_AFloodOfLargePostsLeavesOthersServed(t *testing.T) {
	g := gate{make(chan struct{}), make(chan struct{}, 100)}
	p := &ports{items: 3}
	server := start(t, func(o *Options) {
		o.API = func() *API { return &API{Publisher: g, Recommender: p, Archive: archive{p}} }
	})
	body := large()
	fits := int(maxUnderWay * 3 / 4 / len(body))
	var flood sync.WaitGroup
	statuses := make(chan int, fits)
	for range fits {
		flood.Go(func() { statuses <- server.ask("POST", "/v1/users", body).status })
	}
	for range fits { // all of these are under way
		<-g.waiting
	}
	a := server.ask("POST", "/v1/users", body)
	server.want(a, 429, `"title":"too much is under way"`)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	a = server.ask("POST", "/register_user", `{"x":"`+strings.Repeat("x", 3<<20)+`"}`)
	server.want(a, 429, `{"error":`)
	a = server.ask("POST", "/v1/users", packed(strings.Repeat(" ", 8<<20)), "Content-Encoding", "gzip")
	server.want(a, 429)
	for range 20 { // another client
		server.want(server.ask("POST", "/v1/users", goodUser), 202)
		server.want(server.ask("GET", "/v1/recommendations?user_id=u", ""), 200)
	}
	close(g.open)
	flood.Wait()
	for range fits {
		if status := <-statuses; status != 202 {
			t.Errorf("a post that was under way is answered %d", status)
		}
	}
	until(t, "nothing is under way", func() bool { return server.server.underWay.bytes.Load() == 0 })
	server.want(server.ask("POST", "/v1/users", body), 202)
}

func TestServer_CutsSlowSendersOffAndServesOthers(t *testing.T) {
	const senders, patience = 300, 500 * time.Millisecond
	g := start(t, func(o *Options) { o.ReadTimeout = patience })
	u, _ := url.Parse(g.server.URL())
	var slow sync.WaitGroup
	var mu sync.Mutex
	cut := 0
	for i := range senders {
		slow.Go(func() {
			conn, err := net.Dial("tcp", u.Host)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			request := "GET /v1/recommendations?user_id=u HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + strings.Repeat("s", 10_000)
			if i%2 == 0 { // in the body
				request = "POST /v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n" + strings.Repeat(" ", 9_000)
			}
			head := strings.Index(request, "\r\n\r\n") + 4
			if _, err := io.WriteString(conn, request[:head]); err != nil {
				t.Error(err)
				return
			}
			ended := make(chan struct{})
			go func() { // a byte at a time
				tick := time.NewTicker(10 * time.Millisecond)
				defer tick.Stop()
				for at := head; at < len(request); at++ {
					select {
					case <-tick.C:
						_, _ = conn.Write([]byte{request[at]})
					case <-ended:
						return
					}
				}
			}()
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, err = io.Copy(io.Discard, conn) // ends when the server closes
			close(ended)
			var timeout net.Error
			mu.Lock()
			defer mu.Unlock()
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				cut++
			}
		})
	}
	done := make(chan struct{})
	go func() { slow.Wait(); close(done) }()
	for served := 0; ; served++ {
		select {
		case <-done:
			if cut != senders {
				t.Errorf("%d of %d slow senders were cut off", cut, senders)
			}
			if served == 0 {
				t.Error("nobody else was answered meanwhile")
			}
			return
		default:
			g.want(g.ask("GET", "/v1/recommendations?user_id=u", ""), 200)
		}
	}
}

// flaky is a listener that fails to accept before it does.
type flaky struct {
	net.Listener
	failures int
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return f.Listener.Accept()
}

func TestServer_OutlastsALackOfFileDescriptors(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, func(o *Options) { o.listener = &flaky{inner, 3} })
	g.want(g.ask("GET", "/healthz", ""), 200)
}

func TestConnections_LeaveFilesToOthers(t *testing.T) {
	for files, want := range map[uint64]int{0: 32768, 1 << 40: 32768, 20_000: 19_488, 1024: 512, 600: 300, 1: 1} {
		if got := connections(files); got != want {
			t.Errorf("with %d files %d connections, want %d", files, got, want)
		}
	}
}

func TestServer_TellsOfHeadersThatAreTooLarge(t *testing.T) {
	g := start(t)
	for _, path := range []string{"/v1/recommendations?user_id=u", "/recommend?user_id=u", "/hello", "/readyz"} {
		a := g.ask("GET", path, "", "X-Long", strings.Repeat("x", 20_000))
		g.want(a, 431, "at most 16384 bytes")
	}
}
