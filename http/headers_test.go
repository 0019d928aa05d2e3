package http

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestResponses_HaveTheHeadersThatKeepThemSafe(t *testing.T) {
	g := start(t)
	for _, path := range []string{
		"/healthz", "/hello", "/metrics", "/recommend?user_id=u", "/v1/recommendations?user_id=u", "/v1/users/u1", "/v1/users/u2", "/v1/users/u1/coupons",
		"/v1/users/u1/affinities", "/docs", "/docs/swagger-ui.css", "/docs/none.css", "/openapi.yaml", "/v1/nothing",
	} {
		a := g.ask("GET", path, "")
		if got := a.header.Values("X-Content-Type-Options"); len(got) != 1 || got[0] != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options: %s", path, got)
		}
		want, vary := "no-store", ""
		if path == "/docs/swagger-ui.css" {
			want, vary = "max-age=86400", "Accept-Encoding"
		}
		if got := a.header.Values("Cache-Control"); len(got) != 1 || got[0] != want {
			t.Errorf("%s: Cache-Control: %s", path, got)
		}
		if got := a.header.Get("Vary"); got != vary {
			t.Errorf("%s: Vary: %s", path, got)
		}
	}
	for name, sent := range map[string]string{
		"malformed": "GET /\x01 HTTP/1.1\r\nHost: HOST\r\n\r\n", "long": "GET / HTTP/1.1\r\nHost: HOST\r\nX: " + strings.Repeat("x", 20_000) + "\r\n\r\n",
	} {
		if answer := g.raw(sent); !strings.Contains(answer, "nosniff") || !strings.Contains(answer, "no-store") || !strings.Contains(answer, "X-Request-Id: ") {
			t.Errorf("%s: %s", name, answer)
		}
	}
}

func TestRequestID_IsTakenOnlyInItsForm(t *testing.T) {
	g := start(t)
	for id, taken := range map[string]bool{
		"a": true, "A-b_c.9": true, strings.Repeat("x", 64): true,
		strings.Repeat("x", 65): false, "a b": false, "a/b": false, "<b>": false, `a"`: false, "ü": false, "a=1": false,
	} {
		for _, path := range []string{"/hello", "/v1/nothing"} {
			got := g.ask("GET", path, "", "X-Request-ID", id).header.Values("X-Request-Id")
			if len(got) != 1 || (got[0] == id) != taken || len(got[0]) > 64 {
				t.Errorf("%q is answered %q", id, got)
			}
		}
	}
}

func TestRequestID_IsInTheLog(t *testing.T) {
	g := start(t, func(o *Options) { o.Now = func() time.Time { panic("oops") } })
	answer := g.raw("GET /v1/recommendations?user_id=u HTTP/1.1\r\nHost: HOST\r\nX-Request-ID: mine-7\r\nConnection: close\r\n\r\n")
	if !strings.Contains(answer, " 500 ") || !strings.Contains(answer, "X-Request-Id: mine-7\r\n") || strings.Contains(answer, "oops") {
		t.Errorf("answered %s", answer)
	}
	if logged := g.logged.String(); !strings.Contains(logged, "request=mine-7") || !strings.Contains(logged, "oops") {
		t.Errorf("logged %s", logged)
	}
}

func TestDrain_ServesAndAsksToCloseTheConnection(t *testing.T) {
	g := start(t)
	for _, closes := range []bool{false, true} {
		a, err := http.Get(g.server.URL() + "/v1/events/e1")
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if a.StatusCode != 200 || a.Close != closes {
			t.Errorf("status %d, closes %v, want %v", a.StatusCode, a.Close, closes)
		}
		g.server.Drain()
	}
}
