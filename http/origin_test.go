package http

import (
	"strings"
	"testing"
)

func TestPost_OfV1AsksForATypeThatItTakes(t *testing.T) {
	g := start(t)
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		for _, path := range []string{"/v1/users", "/v1/events", "/v1/coupons"} {
			g.want(g.ask("POST", path, goodUser, "Content-Type", kind), 415, "application/json", "application/x-ndjson")
		}
		g.want(g.ask("PATCH", "/v1/events/e1", `{"status":"open"}`, "Content-Type", kind), 415, "application/json")
	}
	if len(g.published) != 0 {
		t.Errorf("%d records are published", len(g.published))
	}
	g.want(g.ask("POST", "/register_user", goodUser, "Content-Type", ""), 200)
}

func TestServer_RefusesPagesOfOtherSites(t *testing.T) {
	g := start(t, func(o *Options) { o.AllowedOrigins = []string{"https://shop.example"} })
	host := strings.TrimPrefix(g.server.URL(), "http://")
	for origin, allowed := range map[string]bool{
		"": true, "http://" + host: true, "HTTP://" + strings.ToUpper(host): true, "https://" + host: true, "https://shop.example": true,
		"https://evil.example": false, "null": false, "http://127.0.0.1": false, "http://127.0.0.1:1": false, "http://localhost:1": false,
		"http://shop.example": false, "https://shop.example.evil": false, "file://": false, host: false, "http://" + host + ".evil": false,
	} {
		for _, c := range []struct{ method, path, body, title string }{
			{"POST", "/v1/users", goodUser, `"title":"another site"`}, {"POST", "/register_user", goodUser, `{"error":`},
			{"GET", "/v1/recommendations?user_id=u", "", `"title":"another site"`}, {"GET", "/docs", "", "error"}, {"GET", "/v1/none", "", ""},
		} {
			before := len(g.published)
			a := g.ask(c.method, c.path, c.body, "Origin", origin)
			if (a.status != 403) != allowed {
				t.Errorf("%s %s from %q: %d", c.method, c.path, origin, a.status)
			}
			if !allowed {
				g.want(a, 403, c.title)
				if len(g.published) != before {
					t.Errorf("%s from %q is published", c.path, origin)
				}
			}
		}
	}
}

func TestServer_WithoutAKeyOnLoopbackAnswersToItsOwnNamesAlone(t *testing.T) {
	hosts := map[string]bool{
		"localhost": true, "LOCALHOST:80": true, "127.0.0.1:5000": true, "[::1]:5000": true, "[::1]": true, "127.0.0.2": true, "tipoff.test:99": true, "proxy.test:80": true,
		"evil.example": false, "evil.example:5000": false, "localhost.evil.example": false, "127.0.0.1.evil.example:5000": false, "10.0.0.1": false,
		"proxy.test": false, "proxy.test:81": false, "[::2]:5000": false,
	}
	allow := func(o *Options) { o.AllowedHosts = []string{"Tipoff.test", "proxy.test:80"} }
	alone, keyed, open := start(t, allow), start(t, allow, func(o *Options) { o.Key = "k" }), start(t, allow, func(o *Options) { o.Addr = "0.0.0.0:0" })
	for host, own := range hosts {
		a := alone.ask("POST", "/v1/users", goodUser, "Host", host)
		if own {
			alone.want(a, 202)
		} else {
			alone.want(a, 403, `"title":"another host"`)
			alone.want(alone.ask("GET", "/recommend?user_id=u", "", "Host", host, "Origin", "http://"+host), 403)
		}
		keyed.want(keyed.ask("POST", "/v1/users", goodUser, "Host", host, "X-API-Key", "k"), 202)
		open.want(open.ask("POST", "/v1/users", goodUser, "Host", host), 202)
	}
	if answer := alone.raw("GET /hello HTTP/1.0\r\n\r\n"); !strings.Contains(answer, " 200 ") {
		t.Errorf("without a host: %s", answer)
	}
}
