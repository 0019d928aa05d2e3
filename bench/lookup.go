package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/valyala/fasthttp"

	"tipoff/node"
)

// lookups are questions for recommendations to a world's bettors.
type lookups struct {
	route string
	users []string // in the order in which they ask
	fresh bool     // no answer is one that is kept
}

const (
	recommendPath = "/v1/recommendations"
	oldPath       = "/recommend"

	lookupConnections = 16
)

// everyone has all bettors ask in turn, for an answer that is made for the question.
func everyone(w *world) *lookups {
	l := &lookups{route: recommendPath, fresh: true}
	for i := range w.users {
		l.users = append(l.users, w.users[i].ID)
	}
	return l
}

// zipf has some bettors ask far more often than others, as an app does that is open.
func zipf(w *world) *lookups {
	const asked, exponent = 1 << 17, 1.1
	draw := rand.NewZipf(rand.New(rand.NewPCG(worldSeed, 3)), exponent, 1, uint64(len(w.users)-1))
	l := &lookups{route: recommendPath}
	for range asked {
		l.users = append(l.users, w.users[draw.Uint64()].ID)
	}
	return l
}

func (l *lookups) on(url string, connections int) *load {
	before := url + l.route + "?n=10&user_id="
	return &load{url: url, connections: connections, prepare: func(q *fasthttp.Request, i uint64) {
		q.SetRequestURI(before + l.users[i%uint64(len(l.users))])
		if l.fresh {
			q.Header.Set(fasthttp.HeaderCacheControl, "no-cache")
		}
	}}
}

// beside starts a bare handler that answers with the bytes of one of the node's answers.
func (l *lookups) beside(url string) (*load, func(), error) {
	_, body, err := fasthttp.Get(nil, url+l.route+"?n=10&user_id="+l.users[0])
	if err != nil {
		return nil, nil, err
	}
	peer, closeIt, err := bare(fasthttp.MethodGet, l.route, fasthttp.StatusOK, body)
	if err != nil {
		return nil, nil, err
	}
	return l.on(peer, lookupConnections), closeIt, nil
}

const againstBare = "bare handler, same bytes"

// lookupFigures are a rate and latencies, with what is to be reached of the rate and of
// the 99th percentile.
func lookupFigures(what string, rate, p99 Reach) []figure {
	return []figure{
		{name: "rate", what: what, unit: "requests/s", reach: []Reach{rate}},
		{name: "p50", what: what, unit: "ms"},
		{name: "p99", what: what, unit: "ms", reach: []Reach{p99}},
	}
}

// lookup measures recommendations none of which is kept.
func (b *bench) lookup(ctx context.Context) error {
	n, h, err := b.shared(ctx, b.large())
	if err != nil {
		return err
	}
	asks := everyone(h.world)
	peer, closeIt, err := asks.beside(n.URL())
	if err != nil {
		return err
	}
	defer closeIt()
	ours := asks.on(n.URL(), lookupConnections)
	err = b.turns(ctx, comparison{
		row: "lookup", against: againstBare, tipoff: b.closed(ours), other: b.closed(peer), withoutFirst: true,
		figures: lookupFigures("recommendations, no answer kept", atLeast(.5), atMost(2)),
	})
	if err != nil {
		return err
	}
	return b.offered(ctx, n, asks, b.last("lookup", "rate").Tipoff)
}

// offered compares latencies at half of the rate that was reached, and draws them up to
// saturation.
func (b *bench) offered(ctx context.Context, n *node.Node, asks *lookups, reached float64) error {
	const connections = 64 // more than are ever busy below saturation
	peer, closeIt, err := asks.beside(n.URL())
	if err != nil {
		return err
	}
	defer closeIt()
	peer.connections = connections
	ours := asks.on(n.URL(), connections)
	at := func(l *load) side {
		return func(ctx context.Context) (figures, error) {
			a, err := l.open(ctx, reached/2, b.lasts())
			if err != nil {
				return nil, err
			}
			return a.figures(), nil
		}
	}
	what := fmt.Sprintf("the same, open loop, %.0f/s", reached/2)
	err = b.turns(ctx, comparison{
		row: "lookup", against: againstBare + ", at that rate", tipoff: at(ours), other: at(peer), withoutFirst: true,
		figures: []figure{{name: "p50", what: what, unit: "ms"}, {name: "p99", what: what, unit: "ms"}},
	})
	if err != nil || b.Plot == "" {
		return err
	}
	return b.plotOffered(ctx, ours, reached)
}

// kept measures recommendations of which many are asked for again.
func (b *bench) kept(ctx context.Context) error {
	n, h, err := b.shared(ctx, b.large())
	if err != nil {
		return err
	}
	asks := zipf(h.world)
	peer, closeIt, err := asks.beside(n.URL())
	if err != nil {
		return err
	}
	defer closeIt()
	return b.turns(ctx, comparison{
		row: "kept", against: againstBare, tipoff: b.closed(asks.on(n.URL(), lookupConnections)), other: b.closed(peer), withoutFirst: true,
		figures: lookupFigures("recommendations, answers kept, bettors by a Zipf law", atLeast(.85), atMost(1.5)),
	})
}

// busyRate is how many coupons a second are posted while lookups are measured.
const busyRate = 1000

// busy measures the same while bets come in and are learnt.
func (b *bench) busy(ctx context.Context) error {
	n, h, err := b.shared(ctx, b.large())
	if err != nil {
		return err
	}
	bets := h.slips()
	for _, kind := range []struct {
		what string
		asks *lookups
	}{{"not kept", everyone(h.world)}, {"answers kept", zipf(h.world)}} {
		asks := kind.asks.on(n.URL(), lookupConnections)
		quietly := b.closed(asks)
		err := b.turns(ctx, comparison{
			row: "busy", against: "itself, quiet", other: quietly, withoutFirst: true,
			tipoff: func(ctx context.Context) (figures, error) {
				stop := bets.background(ctx, n.URL(), busyRate)
				got, err := quietly(ctx)
				taken, stopped := stop()
				if err := errors.Join(err, stopped); err != nil {
					return nil, err
				}
				got["taken"] = taken
				return got, settled(ctx, n.Cluster())
			},
			figures: append(lookupFigures(fmt.Sprintf("recommendations, %s, while %d coupons/s are learnt", kind.what, busyRate), atLeast(.7), atMost(3)),
				figure{name: "taken", what: "of those, taken in meanwhile", unit: "coupons/s"}),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// old measures the route of the service that Tipoff replaces.
func (b *bench) old(ctx context.Context) error {
	n, h, err := b.shared(ctx, b.large())
	if err != nil {
		return err
	}
	asks := everyone(h.world)
	asks.route, asks.fresh = oldPath, false
	peer, closeIt, err := asks.beside(n.URL())
	if err != nil {
		return err
	}
	defer closeIt()
	return b.turns(ctx, comparison{
		row: "old", against: againstBare, tipoff: b.closed(asks.on(n.URL(), lookupConnections)), other: b.closed(peer), withoutFirst: true,
		figures: lookupFigures("GET /recommend", atLeast(.85), atMost(2))[:2],
	})
}

// single is a load on one connection, which says how long one answer takes.
func single(l *load, lasts time.Duration) side {
	l.connections = 1
	return func(ctx context.Context) (figures, error) {
		a, err := l.closed(ctx, lasts)
		if err != nil {
			return nil, err
		}
		return a.figures(), nil
	}
}
