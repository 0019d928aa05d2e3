package node

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"tipoff/broker"
	"tipoff/http"
)

// part adds something that must be ready before the process is, until remove is
// called.
func (n *Node) part(name string, state func() broker.State) (remove func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := &part{name: name, state: state}
	n.parts = append(n.parts, p)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.parts = slices.DeleteFunc(n.parts, func(other *part) bool { return other == p })
	}
}

// Names of parts that are neither a group nor a view.
const (
	partKafka = "kafka" // says whether Kafka takes records
	partLogs  = "logs"  // says which lost their ends
	partDrain = "drain" // is there while the gateway drains
)

// part is something that must be ready.
type part struct {
	name  string
	state func() broker.State

	mu    sync.Mutex
	was   string // its state when it was last looked at; see [stateOf]
	since time.Time
}

// kafka adds the part that says whether Kafka takes records. A gateway is needed without
// it too, as it answers from memory.
func (n *Node) kafka() {
	n.part(partKafka, func() broker.State {
		pulse := n.pulse.Load()
		if pulse == nil { // before every part is there that must be ready too
			return broker.State{Detail: "waits"}
		}
		s := pulse.State()
		s.Spared = n.gateway
		return s
	})
}

// Readiness is whether the node shall get requests: while every part is ready, or spared,
// as the node serves on without it. A gateway says apart whether it takes posts and
// whether its answers are fresh.
func (n *Node) Readiness() http.Readiness {
	n.mu.Lock()
	parts := slices.Clone(n.parts) // a part may take its time to say how it is
	n.mu.Unlock()
	r := http.Readiness{Ready: true, Parts: make([]http.Part, len(parts))}
	accepts, fresh, views := n.api.Load() != nil, true, 0
	for i, p := range parts {
		s := p.state()
		r.Parts[i] = http.Part{Name: p.name, Ready: s.Ready, Needed: !s.Spared, Detail: bounded(s.Detail), Lag: s.Lag}
		r.Ready = r.Ready && (s.Ready || s.Spared)
		accepts = accepts && (s.Ready || p.name != partKafka)
		if s.Answers {
			views++
			fresh = fresh && s.Ready
		}
		if !s.AsOf.IsZero() {
			age := math.Round(time.Since(s.AsOf).Seconds()*10) / 10
			r.Parts[i].Age = &age
		}
	}
	if fresh = fresh && views > 0; n.gateway {
		r.Accepts, r.Fresh = &accepts, &fresh
	}
	return r
}

// Ready waits until every part is, or ctx ends.
func (n *Node) Ready(ctx context.Context) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		waiting := ""
		for _, part := range n.Readiness().Parts {
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

// maxDetail is how much is said of a part, in bytes; http/openapi.yaml says so too.
const maxDetail = 500

// bounded cuts what is said of a part: it may list every partition.
func bounded(detail string) string {
	if len(detail) <= maxDetail {
		return detail
	}
	return strings.ToValidUTF8(detail[:maxDetail-len("...")], "") + "..."
}
