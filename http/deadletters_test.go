package http

import (
	"strings"
	"testing"

	"tipoff"
)

func TestRejected_AreListedAndSentAgain(t *testing.T) {
	g := start(t)
	g.want(g.ask("GET", "/v1/rejected", ""), 200, `"id":"3-1287"`, `"reason":"invalid"`, `"detail":"default20"`, `"cursor":"next"`, `"counts":[{"reason":"invalid","records":2}]`)
	g.want(g.ask("GET", "/v1/rejected?n=100&cursor=c&reason=too-old", ""), 200, `"reason":"too-old"`, `"detail":"default100c"`)
	g.want(g.ask("GET", "/v1/rejected?n=101", ""), 400, "from 1 to 100")
	g.want(g.ask("GET", "/v1/rejected?n=0", ""), 400, "from 1 to 100")
	g.want(g.ask("GET", "/v1/rejected?reason="+strings.Repeat("x", 51), ""), 400, "at most 50")
	g.want(g.ask("POST", "/v1/rejected/3-1287/retry", ""), 202, `{"id":"3-1287","topic":"coupon_topic"}`)
	g.want(g.ask("POST", "/v1/rejected/3-1288/retry", ""), 409, "sent again already")
	g.want(g.ask("POST", "/v1/rejected/3-1/retry", ""), 404)
	g.want(g.ask("POST", "/v1/rejected/"+strings.Repeat("x", 51)+"/retry", ""), 400)
	g.want(g.ask("POST", "/v1/rejected/3-1287/retry?x=1", ""), 400)
	g.fails = tipoff.ErrUnavailable
	g.want(g.ask("GET", "/v1/rejected", ""), 503)
	g.want(g.ask("POST", "/v1/rejected/3-1287/retry", ""), 503)
}

func TestRejected_AskForTheKey(t *testing.T) {
	g := start(t, func(o *Options) { o.Key = "secret" })
	g.want(g.ask("GET", "/v1/rejected", ""), 401)
	g.want(g.ask("POST", "/v1/rejected/3-1287/retry", ""), 401)
	g.want(g.ask("POST", "/v1/rejected/3-1287/retry", "", "Origin", "https://elsewhere.example", "X-API-Key", "secret"), 403)
	g.want(g.ask("GET", "/v1/rejected", "", "X-API-Key", "secret"), 200)
}
