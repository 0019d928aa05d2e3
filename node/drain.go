package node

import (
	"context"
	"errors"
	"time"

	"tipoff/broker"
)

// ErrTerminated is the cause of a context that SIGTERM ends: what starts and ends
// processes sends it, and sends new requests elsewhere only once it knows.
var ErrTerminated = errors.New("asked to end by SIGTERM")

// Wait returns when ctx has ended, or something failed for good. Where SIGTERM ended
// ctx, a gateway has drained by then.
func (n *Node) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case err := <-n.fatal:
		return err
	}
	if n.api.Load() == nil || !errors.Is(context.Cause(ctx), ErrTerminated) {
		return nil
	}
	return n.drain(n.settings.Drain)
}

// drain lets balancers and clients see that the gateway is about to end, while it
// still serves all who come: /readyz fails, and each response asks its client to
// close the connection.
func (n *Node) drain(span time.Duration) error {
	if span <= 0 {
		return nil
	}
	n.log.Info("draining: not ready any more, but serving", "for", span)
	defer n.part(partDrain, func() broker.State {
		return broker.State{Failing: true, Detail: "this gateway is about to end"}
	})()
	n.server.Drain()
	select {
	case <-time.After(span):
		return nil
	case err := <-n.fatal:
		return err
	}
}
