package node

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"tipoff/broker"
	"tipoff/http"
)

// part adds something that must be ready before the process is, until remove is
// called.
func (n *Node) part(name string, state func() broker.State) (remove func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := &part{name, state}
	n.parts = append(n.parts, p)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.parts = slices.DeleteFunc(n.parts, func(other *part) bool { return other == p })
	}
}

// part is something that must be ready.
type part struct {
	name  string
	state func() broker.State
}

// awaited adds a part that is ready once the returned function was called.
func (n *Node) awaited(name string) (done func(detail string)) {
	var reached atomic.Pointer[string]
	n.part(name, func() broker.State {
		if detail := reached.Load(); detail != nil {
			return broker.State{Ready: true, Detail: *detail}
		}
		return broker.State{Detail: "waits"}
	})
	return func(detail string) { reached.Store(&detail) }
}

// Parts say how everything is doing that must be ready before the node is.
func (n *Node) Parts() []http.Part {
	n.mu.Lock()
	defer n.mu.Unlock()
	states := make([]http.Part, len(n.parts))
	for i, p := range n.parts {
		s := p.state()
		states[i] = http.Part{Name: p.name, Ready: s.Ready, Detail: s.Detail, Lag: s.Lag}
	}
	return states
}

// Ready waits until every part is, or ctx ends.
func (n *Node) Ready(ctx context.Context) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		waiting := ""
		for _, part := range n.Parts() {
			if !part.Ready {
				waiting = part.Name + ": " + part.Detail
			}
		}
		if waiting == "" {
			return nil
		}
		select {
		case <-ticker.C:
		case err := <-n.fatal:
			return err
		case <-ctx.Done():
			return fmt.Errorf("not ready: %s: %w", waiting, ctx.Err())
		}
	}
}
