package http

import (
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestMetrics_CountRequestsThatAreRefusedUnread(t *testing.T) {
	g := start(t, func(o *Options) { o.ReadTimeout = 200 * time.Millisecond })
	g.raw("GET /\x01 HTTP/1.1\r\nHost: HOST\r\n\r\n")
	g.raw("nonsense\r\n\r\n")
	g.raw("GET / HTTP/1.1\r\nHost: HOST\r\nX: " + strings.Repeat("x", 20_000) + "\r\n\r\n")
	u, _ := url.Parse(g.server.URL())
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost:")
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), " 408 ") {
		t.Errorf("%s, %v", answer, err)
	}
	g.want(g.ask("GET", "/metrics", ""), 200, `tipoff_http_requests_total{method="",route="unread",status="400"} 2`,
		`tipoff_http_requests_total{method="",route="unread",status="431"} 1`, `tipoff_http_requests_total{method="",route="unread",status="408"} 1`)
}

// connect opens a connection and makes sure that it is served.
func (g *gateway) connect() net.Conn {
	g.Helper()
	u, _ := url.Parse(g.server.URL())
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		g.Fatal(err)
	}
	g.Cleanup(func() { conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	return conn
}

func TestServer_OverItsConnectionsSaysWhenToComeBackAndStaysHealthy(t *testing.T) {
	const most = spareConnections + 8
	g := start(t, func(o *Options) { o.connections = most })
	var held []net.Conn
	for range most {
		held = append(held, g.connect())
	}
	until(t, "all connections are taken", func() bool { return g.server.open.Load() == most })
	for range 3 { // each on a connection of its own, as all are closed
		a := g.ask("POST", "/v1/users", goodUser)
		g.want(a, 503, `"title":"too many connections"`)
		if a.header.Get("Retry-After") == "" || a.header.Get("X-Request-Id") == "" {
			t.Errorf("%v", a.header)
		}
		g.want(g.ask("GET", "/recommend?user_id=u", ""), 503, `{"error":`)
		g.want(g.ask("GET", "/healthz", ""), 200)
		g.want(g.ask("GET", "/readyz", ""), 200)
	}
	until(t, "those are closed", func() bool { return g.server.open.Load() == most })
	for range spareConnections {
		g.connect()
	}
	until(t, "the spare ones are taken too", func() bool { return g.server.open.Load() == most+spareConnections })
	answer, err := io.ReadAll(g.connect())
	for _, part := range []string{"HTTP/1.1 503 ", "application/problem+json", "\r\nRetry-After: 2\r\n", `"title":"too many connections"`, "\r\nConnection: close\r\n"} {
		if err != nil || !strings.Contains(string(answer), part) {
			t.Errorf("%s, %v, want in it %s", answer, err, part)
		}
	}
	for _, conn := range held {
		conn.Close()
	}
	until(t, "there is room again", func() bool { return g.server.open.Load() == spareConnections })
	g.want(g.ask("GET", "/metrics", ""), 200, `tipoff_http_requests_total{method="",route="unread",status="503"} 1`,
		`tipoff_http_requests_total{method="POST",route="/v1/users",status="503"} 3`)
}
