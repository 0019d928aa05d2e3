package bench

import (
	"context"
	"errors"
	"time"

	"tipoff/node"
)

const postConnections = 512

// apart starts the api role alone: on a home of its own where the broker is embedded,
// as what is posted there stays for nobody.
func (b *bench) apart(ctx context.Context) (*node.Node, *home, error) {
	if err := b.stopShared(); err != nil {
		return nil, nil, err
	}
	home := b.newHome
	if !b.settings.Embedded() {
		home = b.home
	}
	h, err := home(ctx, b.usual())
	if err != nil {
		return nil, nil, err
	}
	n, err := b.start(ctx, h, node.API)
	return n, h, err
}

// post measures single posts of coupons, each acknowledged when the broker has it: by
// the api alone, then with all roles, where the pipeline takes its share.
func (b *bench) post(ctx context.Context) error {
	n, h, err := b.apart(ctx)
	if err != nil {
		return err
	}
	least := .5
	if !b.settings.Embedded() {
		least = .35
	}
	bets, peer, closeIt, err := h.besideEcho()
	if err != nil {
		return errors.Join(err, n.Stop(nil))
	}
	defer closeIt()
	err = b.turns(ctx, comparison{
		row: "post", against: againstEcho, tipoff: b.closed(bets.posting(n.URL(), postConnections, 1)), other: b.closed(peer), withoutFirst: true,
		figures: postFigures("single posts of coupons, the api alone", atLeast(least)),
	})
	if err := errors.Join(err, n.Stop(nil)); err != nil {
		return err
	}
	return b.postToAll(ctx)
}

// postToAll measures the same with all roles in the process, which work on what is
// posted, and the backlog that is left for them after each turn.
func (b *bench) postToAll(ctx context.Context) error {
	n, h, err := b.shared(ctx, b.usual())
	if err != nil {
		return err
	}
	bets, peer, closeIt, err := h.besideEcho()
	if err != nil {
		return err
	}
	defer closeIt()
	posts := b.closed(bets.posting(n.URL(), postConnections, 1))
	lines := append(postFigures("single posts of coupons, all roles"),
		figure{name: "backlog", what: "records left for the pipeline", unit: "records"},
		figure{name: "backlog time", what: "until they are worked off", unit: "s"})
	return b.turns(ctx, comparison{
		row: "post", against: againstEcho, other: b.closed(peer), figures: lines, withoutFirst: true,
		tipoff: func(ctx context.Context) (figures, error) {
			got, err := posts(ctx)
			if err != nil {
				return nil, err
			}
			began := time.Now()
			left, err := behind(ctx, n.Cluster(), true)
			if err != nil {
				return nil, err
			}
			since, err := drained(ctx, n.Cluster())
			got["backlog"], got["backlog time"] = float64(left), max(0, since.Sub(began).Seconds())
			return got, err
		},
	})
}

const againstEcho = "bare handler, echoes the body"

func postFigures(what string, rate ...Reach) []figure {
	return []figure{
		{name: "rate", what: what, unit: "requests/s", reach: rate},
		{name: "p50", what: what, unit: "ms"},
		{name: "p99", what: what, unit: "ms"},
	}
}

// besideEcho returns coupons to post, and the load of the same on a bare handler.
func (h *home) besideEcho() (bets *slips, peer *load, closeIt func(), err error) {
	url, closeIt, err := echo(couponsPath)
	if err != nil {
		return nil, nil, nil, err
	}
	bets = h.slips()
	return bets, bets.posting(url, postConnections, 1), closeIt, nil
}
