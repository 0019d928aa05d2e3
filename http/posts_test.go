package http

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"tipoff"
	"tipoff/topics"
)

func TestOldRoutes_AnswerAsTheOldServiceDid(t *testing.T) {
	g := start(t)
	g.want(g.ask("GET", "/hello", ""), 200, "Hello World")
	for i, c := range []struct{ path, body string }{
		{"/register_user", ` {"extra_field": [1, 2],` + goodUser[1:] + "\n"},
		{"/register_event", goodEvent},
		{"/register_coupon", goodCoupon},
	} {
		a := g.ask("POST", c.path, c.body)
		if a.status != 200 || a.body != c.body {
			t.Errorf("%s: %d %s, want the body as it was posted", c.path, a.status, a.body)
		}
		if len(g.published) != i+1 {
			t.Fatalf("%s: %d records are published", c.path, len(g.published))
		}
	}
	if r := g.published[2]; r.Topic != "coupon_topic" || r.Key != "default/u1" || !r.Received.Equal(noon) {
		t.Errorf("published %+v", r)
	}
	g.want(g.ask("POST", "/register_user", `{"user_id":"u"}`), 400, `{"error":"birth_year: is required; `)
	g.want(g.ask("POST", "/register_coupon", strings.Replace(goodCoupon, "50.5", "-1", 1)), 400, `"stake: must be a number above 0`)
	g.want(g.ask("POST", "/register_event", goodEvent, "Content-Type", "text/xml"), 415, `{"error":`)
	g.want(g.ask("POST", "/register_event", "["+goodEvent+"]"), 400, "must be an object, is an array")
}

func TestPost_TakesOneAnArrayOrLines(t *testing.T) {
	g := start(t)
	second := strings.Replace(goodUser, "u1", "u2", 1)
	for name, c := range map[string]struct {
		body, kind string
		n          int
	}{
		"one":               {goodUser, "application/json; charset=utf-8", 1},
		"array":             {"[" + goodUser + ",\n" + second + "]", "application/json", 2},
		"lines":             {goodUser + "\n\r\n" + second, "application/x-ndjson", 2},
		"lines with an end": {goodUser + "\n" + second + "\n", "application/x-ndjson", 2},
	} {
		before := len(g.published)
		a := g.ask("POST", "/v1/users", c.body, "Content-Type", c.kind)
		g.want(a, 202, fmt.Sprintf(`{"accepted":%d,"rejected_items":0,"rejected":[]}`, c.n))
		if got := len(g.published) - before; got != c.n {
			t.Errorf("%s: %d records published, want %d", name, got, c.n)
		}
	}
}

func packed(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func TestPost_Unpacks(t *testing.T) {
	g := start(t)
	g.want(g.ask("POST", "/v1/events", packed(goodEvent), "Content-Encoding", "gzip"), 202)
	g.want(g.ask("POST", "/register_event", packed(goodEvent), "Content-Encoding", "gzip"), 200)
	g.want(g.ask("POST", "/v1/events", goodEvent, "Content-Encoding", "gzip"), 400, "not gzip")
	g.want(g.ask("POST", "/v1/events", packed(goodEvent)[:40], "Content-Encoding", "gzip"), 400, "not gzip")
	g.want(g.ask("POST", "/v1/events", goodEvent, "Content-Encoding", "br"), 415)
	bomb := packed(strings.Repeat(" ", MaxBodyUnpacked+1))
	g.want(g.ask("POST", "/v1/events", bomb, "Content-Encoding", "gzip"), 413, "16777216 after gzip")
}

func TestPost_TellsPerItemWhatIsWrong(t *testing.T) {
	g := start(t)
	bad := strings.Replace(goodCoupon, `"odds":10.0`, `"odds":0.5`, 1)
	a := g.ask("POST", "/v1/coupons", "["+goodCoupon+","+bad+`,7,{"coupon_id":"c9","wat":1}]`)
	g.want(a, 207, `"accepted":1`, `{"index":1,"id":"c1","field":"selections[0].odds","message":"must be a number from 1 to 1000000"}`,
		`{"index":2,"field":"","message":"must be an object, is a number"}`, `{"index":3,"id":"c9","field":"wat","message":"is not a field of this entity"}`)
	if len(g.published) != 1 {
		t.Errorf("%d records are published", len(g.published))
	}
	a = g.ask("POST", "/v1/coupons", bad+"\n{oops\n"+goodCoupon, "Content-Type", "application/x-ndjson")
	g.want(a, 207, `"accepted":1`, `"index":0`, `"index":1`, "is not valid JSON")
	a = g.ask("POST", "/v1/coupons", "["+bad+"]")
	g.want(a, 400, `"title":"invalid request"`, `"index":0`, `"field":"selections[0].odds"`)
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("Content-Type = %s", kind)
	}
}

func TestPost_RefusesWhatIsNotAListOfItems(t *testing.T) {
	g := start(t)
	many := "[" + strings.TrimSuffix(strings.Repeat(goodUser+",", 1001), ",") + "]"
	for body, status := range map[string]int{
		"": 400, " ": 400, "[]": 400, "[": 400, "[" + goodUser: 400, "[" + goodUser + "]x": 400, goodUser + goodUser: 400,
		"null": 400, `"x"`: 400, many: 413, strings.Repeat("[", 3_000_000): 400, `[{"a":` + strings.Repeat("[", 50_000) + "]": 400,
	} {
		a := g.ask("POST", "/v1/users", body, "Content-Type", "application/json")
		g.want(a, status, `"status":`)
	}
	g.want(g.ask("POST", "/v1/users", many[1:len(many)-1], "Content-Type", "application/x-ndjson"), 400)
	g.want(g.ask("POST", "/v1/users", goodUser, "Content-Type", "application/x-www-form-urlencoded"), 415, "application/x-ndjson")
	if len(g.published) != 0 {
		t.Errorf("%d records are published", len(g.published))
	}
}

func TestPost_OfFiveMebibytesIsTooLarge(t *testing.T) {
	g := start(t)
	for _, path := range []string{"/v1/users", "/register_user"} {
		g.want(g.ask("POST", path, strings.Repeat(" ", 5<<20)), 413, "4194304")
	}
}

func TestPost_SaysWhenTheBrokerDoesNot(t *testing.T) {
	g := start(t)
	for _, c := range []struct {
		err    error
		status int
	}{{tipoff.Unavailable("publish", errors.New("away")), 503}, {fmt.Errorf("publish: %w", tipoff.ErrBusy), 429}} {
		g.fails = c.err
		for path, body := range map[string]string{"/v1/users": goodUser, "/register_event": goodEvent, "/v1/coupons": "[" + goodCoupon + "]"} {
			a := g.ask("POST", path, body)
			g.want(a, c.status)
			if a.header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", path)
			}
		}
		a := g.ask("PATCH", "/v1/events/e1", `{"status":"finished"}`)
		g.want(a, c.status)
	}
}

func TestPatch_IsPublishedWithItsEvent(t *testing.T) {
	g := start(t)
	g.want(g.ask("PATCH", "/v1/events/a%2Fb%20%C3%BC", `{"status":"finished","result":"2:1"}`), 202, `{"accepted":1`)
	r := g.published[0]
	if r.Topic != topics.Events || r.Key != "default/a/b ü" || !topics.IsPatch(r.Value) {
		t.Errorf("published %s %s %s", r.Topic, r.Key, r.Value)
	}
	for body, part := range map[string]string{`{}`: "at least one", `{"status":"won"}`: "one of open", `{"league":"x"}`: "not a field", `[]`: "must be an object"} {
		g.want(g.ask("PATCH", "/v1/events/e1", body), 400, part)
	}
	g.want(g.ask("PATCH", "/v1/events/"+strings.Repeat("x", 51), `{"status":"open"}`), 400, `"field":"event_id"`)
}
