package bench

import (
	"context"
	"sync/atomic"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"
)

// post compares single posts, each acknowledged by the broker, with a bare
// handler that returns the same bytes and stores nothing.
func (b *bench) post(ctx context.Context) error {
	n, book, err := b.startNode(ctx, 1000, 200, 10)
	if err != nil {
		return err
	}
	defer n.Stop(nil)
	peer, closeIt, err := bare(fasthttp.StatusAccepted, []byte(`{"accepted":1,"rejected":[]}`))
	if err != nil {
		return err
	}
	defer closeIt()
	users := book.Users()
	var turn atomic.Uint64
	run := func(url string) side {
		return rate(func() (float64, error) {
			return load(url, func(q *fasthttp.Request) {
				i := turn.Add(1)
				u := users[i%uint64(len(users))]
				body, _ := json.Marshal(u)
				q.SetRequestURI(url + "/v1/users")
				q.Header.SetMethod(fasthttp.MethodPost)
				q.Header.SetContentType("application/json")
				q.SetBodyRaw(body)
			})
		})
	}
	return b.turns(ctx, comparison{
		row: "post", against: "bare handler that stores nothing", tipoff: run(n.URL()), other: run(peer), withoutFirst: true,
		figures: []figure{{name: "rate", what: "single posts, acknowledged by the broker", unit: "requests/s", reach: []Reach{atLeast(0.5)}}},
	})
}
