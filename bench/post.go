package bench

import (
	"context"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"
)

// post compares single posts, each acknowledged by the broker, with a bare handler
// that echoes the body and stores nothing.
func (b *bench) post(ctx context.Context) error {
	n, book, err := b.startNode(ctx, 1000, 200, 10)
	if err != nil {
		return err
	}
	defer n.Stop(nil)
	peer, closeIt, err := echo("/v1/users")
	if err != nil {
		return err
	}
	defer closeIt()
	var bodies [][]byte
	for _, u := range book.Users() {
		body, err := json.Marshal(u)
		if err != nil {
			return err
		}
		bodies = append(bodies, body)
	}
	run := func(url string) side {
		return b.closed(&load{url: url, connections: 512, prepare: func(q *fasthttp.Request, i uint64) {
			preparePost(q, url+"/v1/users", bodies[i%uint64(len(bodies))])
		}})
	}
	return b.turns(ctx, comparison{
		row: "post", against: "bare handler, echoes the body", tipoff: run(n.URL()), other: run(peer), withoutFirst: true,
		figures: []figure{
			{name: "rate", what: "single posts, acknowledged by the broker", unit: "requests/s", reach: []Reach{atLeast(0.5)}},
			{name: "p50", what: "single posts", unit: "ms"},
			{name: "p99", what: "single posts", unit: "ms"},
		},
	})
}

// preparePost makes a request a post of JSON. The body must not change before it is
// answered.
func preparePost(q *fasthttp.Request, to string, body []byte) {
	q.SetRequestURI(to)
	q.Header.SetMethod(fasthttp.MethodPost)
	q.Header.SetContentType("application/json")
	q.SetBodyRaw(body)
}
