package http

import (
	"strings"
	"testing"
)

func TestServer_AnswersHEADWhereverGET(t *testing.T) {
	g := start(t, func(o *Options) { o.Key = "secret" })
	for _, path := range []string{
		"/healthz", "/readyz", "/metrics", "/hello", "/docs", "/docs/swagger-ui.css", "/openapi.yaml", "/recommend?user_id=u",
		"/v1/recommendations?user_id=u", "/v1/recommendations", "/v1/popular", "/v1/events", "/v1/events/e1", "/v1/users/u1", "/v1/users/u2",
		"/v1/users/u1/affinities", "/v1/users/u1/coupons",
	} {
		get := g.ask("GET", path, "", "X-API-Key", "secret")
		head := g.ask("HEAD", path, "", "X-API-Key", "secret")
		if head.status != get.status || head.body != "" {
			t.Errorf("%s: HEAD is answered %d %q, GET %d", path, head.status, head.body, get.status)
		}
		if a, b := head.header.Get("Content-Type"), get.header.Get("Content-Type"); a != b {
			t.Errorf("%s: HEAD says %q, GET %q", path, a, b)
		}
	}
	g.want(g.ask("HEAD", "/v1/users/u1", ""), 401)
	g.want(g.ask("HEAD", "/v1/users", ""), 405)
	g.want(g.ask("GET", "/metrics", "", "X-API-Key", "secret"), 200, `tipoff_http_requests_total{method="HEAD",route="/v1/users/{user_id}",status="404"} 1`)
}

func TestServer_SaysWhichMethodsARouteTakes(t *testing.T) {
	g := start(t, func(o *Options) { o.Key = "secret" })
	for path, want := range map[string]string{
		"/hello": "GET, HEAD, OPTIONS", "/v1/events/a%2Fb": "GET, HEAD, OPTIONS, PATCH", "/v1/events": "GET, HEAD, OPTIONS, POST", "/register_user": "OPTIONS, POST",
	} {
		for method, status := range map[string]int{"OPTIONS": 204, "DELETE": 405, "BREW": 405} {
			a := g.ask(method, path, "")
			if a.status != status || a.header.Get("Allow") != want {
				t.Errorf("%s %s: %d, Allow: %s, want %d, %s", method, path, a.status, a.header.Get("Allow"), status, want)
			}
		}
		for _, method := range strings.Split(want, ", ") {
			if a := g.ask(method, path, ""); a.status == 405 {
				t.Errorf("%s %s: is said to be allowed, and is not", method, path)
			}
		}
	}
	g.want(g.ask("OPTIONS", "/v1/nothing", ""), 404)
}
