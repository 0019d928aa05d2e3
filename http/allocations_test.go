package http

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tipoff"
	"tipoff/topics"
)

// What a request costs the gateway, without the network and what is behind its ports: one
// connection that sends the same request again and again.

// quickPorts acknowledge at once, and know nothing.
type quickPorts struct{ ports }

func (*quickPorts) Publish(context.Context, []topics.Record) error { return nil }

func (*quickPorts) Recommend(_ string, q tipoff.Query, _ time.Time) tipoff.Recommendation {
	return tipoff.Recommendation{UserID: q.UserID}
}

// sender is a client's connection that sends a request so many times and reads no answer.
type sender struct {
	net.Conn // only its addresses
	request  string
	at, left int
}

func (s *sender) Read(b []byte) (int, error) {
	if s.at == len(s.request) {
		s.at = 0
		s.left--
	}
	if s.left <= 0 {
		return 0, io.EOF
	}
	n := copy(b, s.request[s.at:])
	s.at += n
	return n, nil
}

func (*sender) Write(b []byte) (int, error)      { return len(b), nil }
func (*sender) Close() error                     { return nil }
func (*sender) SetReadDeadline(time.Time) error  { return nil }
func (*sender) SetWriteDeadline(time.Time) error { return nil }
func (*sender) SetDeadline(time.Time) error      { return nil }
func (*sender) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (*sender) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }

// postOf is a post of so many coupons of two legs.
func postOf(coupons int) string {
	var body strings.Builder
	for i := range coupons {
		fmt.Fprintf(&body, `,{"timestamp":"2024-05-17T11:59:00.123456Z","coupon_id":"run-%d","user_id":"bettor-%d","stake":12.5,"selections":[`+
			`{"event_id":"event-17","odds":1.85,"market":"1X2","outcome":"home"},{"event_id":"event-4711","odds":2.1,"market":"1X2","outcome":"draw"}]}`, i, i%100)
	}
	sent := body.String()[1:]
	if coupons > 1 {
		sent = "[" + sent + "]"
	}
	return fmt.Sprintf("POST /v1/coupons HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(sent), sent)
}

// alone starts a server with nothing behind it.
func alone(b *testing.B) *Server {
	b.Helper()
	api := &API{Publisher: &quickPorts{}, Recommender: &quickPorts{}}
	s, err := Start(Options{Addr: "127.0.0.1:0", API: func() *API { return api }, Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return s
}

func BenchmarkServer(b *testing.B) {
	for _, c := range []struct{ name, request string }{
		{"post", postOf(1)},
		{"batch", postOf(500)},
		{"lookup", "GET /v1/recommendations?user_id=bettor-17&n=10 HTTP/1.1\r\nHost: localhost\r\nCache-Control: no-cache\r\n\r\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := alone(b)
			b.ReportAllocs()
			b.ResetTimer()
			request := strings.Replace(c.request, "localhost", string(s.address), 1)
			if err := s.server.ServeConn(&sender{request: request, left: b.N}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// TestPost_KeepsNothingOfItsBody, which is read to where the next request's is: what was
// published is each post's own, whatever came after it.
func TestPost_KeepsNothingOfItsBody(t *testing.T) {
	g := start(t)
	const clients, posts = 4, 25
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for i := range posts {
				id := fmt.Sprintf("c%d-%d%s", client, i, strings.Repeat("x", i))
				body := strings.NewReplacer("c1", id, "u1", "of "+id, "e1", "in "+id).Replace(goodCoupon)
				if i%2 == 1 {
					body = "[" + body + "," + body + "]"
				}
				g.want(g.ask("POST", "/v1/coupons", body), 202)
			}
		})
	}
	all.Wait()
	if want := clients * (posts + posts/2); len(g.published) != want {
		t.Errorf("%d records are published, want %d", len(g.published), want)
	}
	for _, r := range g.published {
		c, err := tipoff.DecodeCoupon(r.Value, tipoff.Reading{Now: noon})
		if err != nil || c.UserID != "of "+c.ID || r.Key != topics.Key(tipoff.DefaultCompany, c.UserID) || c.Selections[0].EventID != "in "+c.ID {
			t.Errorf("published %s of key %q, %v", r.Value, r.Key, err)
		}
	}
}
