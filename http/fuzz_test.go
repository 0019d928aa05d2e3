package http

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"tipoff"
	"tipoff/topics"
)

// types of a body that a fuzzed request may say it has.
var types = []string{"application/json", "application/x-ndjson", "", "text/xml"}

// FuzzRequests checks that no request makes the gateway panic or answer 5xx, that
// what it answers is JSON of a status that is described, and that what it publishes
// is what a processor reads.
func FuzzRequests(f *testing.F) {
	p := &ports{items: 3}
	api := &API{Publisher: p, Recommender: p, Archive: archive{p}}
	s := &Server{Options: Options{
		API: func() *API { return api }, Registry: prometheus.NewRegistry(), Readiness: func() Readiness { return Readiness{} },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time { return noon },
	}}
	s.metrics = newMetrics(s.Registry)
	handler := s.router()
	routes := s.routes()
	at := func(method, path string) uint8 {
		return uint8(slices.IndexFunc(routes, func(r route) bool { return r.method == method && r.path == path }))
	}
	for _, seed := range []struct {
		route      uint8
		id, query  string
		body       string
		kind, gzip uint8
	}{
		{at("POST", "/register_user"), "", "", goodUser, 0, 0},
		{at("POST", "/register_event"), "", "", goodEvent, 0, 0},
		{at("POST", "/register_coupon"), "", "", goodCoupon, 0, 0},
		{at("POST", "/v1/users"), "", "", "[" + goodUser + "]", 0, 0},
		{at("POST", "/v1/events"), "", "", goodEvent + "\n" + goodEvent, 1, 0},
		{at("POST", "/v1/coupons"), "", "", packed(goodCoupon), 0, 1},
		{at("PATCH", "/v1/events/{event_id}"), "a%2Fb", "", `{"status":"finished","markets":[{"market":"m","outcomes":[]}]}`, 0, 0},
		{at("GET", "/recommend"), "", "user_id=u&n=0", "", 0, 0},
		{at("GET", "/v1/recommendations"), "", "user_id=u&n=2&sport=S&within=36h30m&exclude=a,b&exclude=c&diversity=0.4&max_per_league=3&scenario=bet-slip", "", 0, 0},
		{at("GET", "/v1/popular"), "", "n=1&country=%C3%BC&sport=%ff", "", 0, 0},
		{at("GET", "/v1/events"), "", "from=2023-05-17&until=2023-05-17T20%3A00%3A00%2B02&status=any&cursor=x&n=500", "", 0, 0},
		{at("GET", "/v1/events/{event_id}"), "%00", "", "", 0, 0},
		{at("GET", "/v1/users/{user_id}/coupons"), "u1", "cursor=MjAyMw&n=1", "", 0, 0},
		{at("GET", "/docs/{asset}"), "..%2f", "", "", 0, 0},
		{at("GET", "/metrics"), "", "x", "", 0, 0},
	} {
		f.Add(seed.route, seed.id, seed.query, []byte(seed.body), seed.kind, seed.gzip)
	}
	f.Fuzz(func(t *testing.T, at uint8, id, query string, body []byte, kind, gzip uint8) {
		rt := routes[int(at)%len(routes)]
		path := rt.path
		if open := strings.IndexByte(path, '{'); open >= 0 {
			path = path[:open] + id + path[strings.IndexByte(path, '}')+1:]
		}
		var q fasthttp.RequestCtx
		q.Request.Header.SetMethod(rt.method)
		q.Request.SetRequestURI(path + "?" + query)
		q.Request.Header.SetContentType(types[int(kind)%len(types)])
		if gzip%2 == 1 {
			q.Request.Header.SetContentEncoding("gzip")
		}
		if rt.method != fasthttp.MethodGet {
			q.Request.SetBodyStream(bytes.NewReader(body), len(body))
		}
		p.published = nil
		handler(&q)
		checkFuzzed(t, &q, body, p.published)
	})
}

// checkFuzzed checks the response to a fuzzed request, and what it made the gateway
// publish.
func checkFuzzed(t *testing.T, q *fasthttp.RequestCtx, body []byte, published []topics.Record) {
	status, answer := q.Response.StatusCode(), q.Response.Body()
	what := fmt.Sprintf("%s %s", q.Method(), q.RequestURI())
	if status >= 500 {
		t.Errorf("%s answered %d: %s", what, status, answer)
	}
	if kind := string(q.Response.Header.ContentType()); strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "json") {
		var value any
		if err := json.Unmarshal(answer, &value); err != nil {
			t.Errorf("%s answered %d with what is no JSON: %v: %q", what, status, err, answer)
		}
	}
	if status >= 300 && len(published) > 0 {
		t.Errorf("%s answered %d, but published %d records", what, status, len(published))
	}
	for _, r := range published {
		if err := readable(r); err != nil {
			t.Errorf("%s took %q and published %q of key %q, which cannot be read: %v", what, body, r.Value, r.Key, err)
		}
	}
}

// readable reads a record as the processors do.
func readable(r topics.Record) (err error) {
	how := tipoff.Reading{Now: noon}
	_, id, _ := topics.SplitKey(r.Key)
	switch {
	case r.Topic == topics.Users:
		_, err = tipoff.DecodeUser(r.Value, how)
	case r.Topic == topics.Coupons:
		_, err = tipoff.DecodeCoupon(r.Value, how)
	case topics.IsPatch(r.Value):
		_, err = tipoff.DecodeEventPatch(r.Value, id, how)
	default:
		_, err = tipoff.DecodeEvent(r.Value, how)
	}
	return err
}
