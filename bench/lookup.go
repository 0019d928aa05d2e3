package bench

import (
	"context"

	"github.com/valyala/fasthttp"
)

// lookup compares recommendations with a bare handler that returns the same
// bytes.
func (b *bench) lookup(ctx context.Context) error {
	n, book, err := b.startNode(ctx, 1000, 1000, 10_000)
	if err != nil {
		return err
	}
	defer n.Stop(nil)
	users := book.Users()
	ask := func(i uint64) string {
		return "/v1/recommendations?n=10&user_id=" + users[i%uint64(len(users))].ID
	}
	_, body, err := fasthttp.Get(nil, n.URL()+ask(0))
	if err != nil {
		return err
	}
	peer, closeIt, err := bare(fasthttp.MethodGet, "/v1/recommendations", fasthttp.StatusOK, body)
	if err != nil {
		return err
	}
	defer closeIt()
	run := func(url string) side {
		return b.closed(&load{url: url, connections: 16, prepare: func(q *fasthttp.Request, i uint64) { q.SetRequestURI(url + ask(i)) }})
	}
	return b.turns(ctx, comparison{
		row: "lookup", against: "bare handler, same bytes", tipoff: run(n.URL()), other: run(peer), withoutFirst: true,
		figures: []figure{
			{name: "rate", what: "recommendations", unit: "requests/s", reach: []Reach{atLeast(0.5)}},
			{name: "p50", what: "recommendations", unit: "ms"},
			{name: "p99", what: "recommendations", unit: "ms", reach: []Reach{atMost(2)}},
		},
	})
}
