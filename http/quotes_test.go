package http

import (
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// raw sends bytes and returns what comes back until the server closes.
func (g *gateway) raw(sent string) string {
	g.Helper()
	u, err := url.Parse(g.server.URL())
	if err != nil {
		g.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		g.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, strings.ReplaceAll(sent, "HOST", u.Host))
	_ = conn.(*net.TCPConn).CloseWrite()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// What a client sends, its key above all, is in no response and in no log.
func TestServer_QuotesNobody(t *testing.T) {
	const secret = "hush-hush"
	var logged journal
	g := start(t, func(o *Options) {
		o.Key, o.Log = secret, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	head := "Host: HOST\r\nAuthorization: Bearer " + secret + "\r\n"
	for name, sent := range map[string]string{
		"request line":     "GET /\x01 HTTP/1.1\r\n" + head + "\r\n",
		"no version":       "GET /" + secret + "\r\n" + head + "\r\n",
		"header":           "GET / HTTP/1.1\r\n" + head + "X-A\x01: 1\r\n\r\n",
		"header's value":   "GET / HTTP/1.1\r\n" + head + "X-A: " + secret + "\x01\r\n\r\n",
		"no colon":         "GET / HTTP/1.1\r\n" + head + secret + "\r\n\r\n",
		"method":           secret + " / HTTP/1.1\r\n" + head + "\r\n",
		"long header":      "GET / HTTP/1.1\r\n" + head + "X-A: " + strings.Repeat(secret, 3000) + "\r\n\r\n",
		"length":           "POST /v1/users HTTP/1.1\r\n" + head + "Content-Type: application/json\r\nContent-Length: " + secret + "\r\n\r\n",
		"chunk":            "POST /v1/users HTTP/1.1\r\n" + head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n",
		"cut off":          "POST /v1/users HTTP/1.1\r\n" + head + "Content-Type: application/json\r\nContent-Length: 99\r\n\r\n" + secret,
		"type":             "POST /v1/users HTTP/1.1\r\n" + head + "Content-Type: " + secret + "\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
		"path":             "GET /v1/" + secret + " HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n",
		"old path":         "GET /" + secret + " HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n",
		"escape in path":   "GET /v1/users/" + secret + "%zz HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n",
		"unknown user":     "GET /v1/users/" + secret + " HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n",
		"unknown event":    "GET /v1/events/" + secret + " HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n",
		"unknown bettor":   "GET /v1/users/" + secret + "/affinities HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n",
		"excluded":         "GET /v1/recommendations?user_id=u&exclude=" + secret + "%01 HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n",
		"parameter":        "GET /v1/recommendations?user_id=u&n=" + secret + "&within=" + secret + " HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n",
		"body":             "POST /v1/users HTTP/1.1\r\n" + head + "Content-Type: application/json\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{" + secret + "}",
		"array":            "POST /v1/users HTTP/1.1\r\n" + head + "Content-Type: application/json\r\nContent-Length: 11\r\nConnection: close\r\n\r\n[" + secret + "]",
		"body's encoding":  "POST /v1/users HTTP/1.1\r\n" + head + "Content-Type: application/json\r\nContent-Encoding: " + secret + "\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
		"what is no gzip":  "POST /v1/users HTTP/1.1\r\n" + head + "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\nConnection: close\r\n\r\n" + secret,
		"host":             "GET / HTTP/1.1\r\nHost: " + secret + "\x01\r\n\r\n",
		"key, a bad query": "GET /v1/users/u1?x=%zz HTTP/1.1\r\n" + head + "Connection: close\r\n\r\n",
	} {
		answer := g.raw(sent)
		status, _, _ := strings.Cut(answer, "\r\n")
		if !strings.HasPrefix(status, "HTTP/1.1 4") {
			t.Errorf("%s: answered %q", name, status)
		}
		if strings.Contains(answer, "hush") {
			t.Errorf("%s: quoted in the response %s", name, answer)
		}
		if _, value, _ := strings.Cut(answer, "\r\n\r\n"); strings.Contains(value, `'h'`) {
			t.Errorf("%s: quoted in part in the response %s", name, answer)
		}
	}
	if strings.Contains(logged.String(), "hush") {
		t.Errorf("quoted in the log: %s", logged.String())
	}
}
