package node

import (
	"testing"
	"time"

	"tipoff/broker"
	"tipoff/http"
)

// TestStatusParts_WhatIsNotKnownYetIsNull: 0 would say that there is nothing to read.
func TestStatusParts_WhatIsNotKnownYetIsNull(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		is    broker.State
		known bool
	}{
		"a group that starts":       {broker.State{Detail: "starting"}, false},
		"one that was looked at":    {broker.State{Ready: true, Looked: true}, true},
		"a view that starts":        {broker.State{Answers: true}, false},
		"one that catches up":       {broker.State{Answers: true, Lag: 3, Looked: true}, true},
		"one without its broker":    {broker.State{Answers: true, AsOf: now, Spared: true}, false},
		"one that has all there is": {broker.State{Answers: true, AsOf: now, Ready: true, Looked: true}, true},
	} {
		p := &part{name: "bettors", state: func() broker.State { return c.is }}
		if got := p.look("bettors", now); (got.Lag != nil) != c.known || got.Lag != nil && *got.Lag != c.is.Lag {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestStatus_OfTablesWithoutViewsSaysNothing(t *testing.T) {
	t.Parallel()
	n := &Node{gateway: true}
	n.status.before.at = time.Now().Add(-time.Second)
	for _, table := range n.tables(time.Now()) {
		if table.Entries != nil || table.Rate != nil {
			t.Errorf("%+v", table)
		}
	}
	_, groups := flowsOf([]*broker.Lag{{Group: "tipoff-bettors"}}, time.Now())
	for _, g := range groups {
		if g != (http.GroupFlow{Name: g.Name}) {
			t.Errorf("%+v", g)
		}
	}
}

// TestStatus_RejectedNeverFalls: a rebuild ends parts that have rejected records.
func TestStatus_RejectedNeverFalls(t *testing.T) {
	t.Parallel()
	n := new(Node)
	if n.Status().Rejected != nil {
		t.Error("a process that rejects nothing knows a number")
	}
	old, other := int64(3), int64(0)
	end := n.rejects(func() int64 { return old })
	defer n.rejects(func() int64 { return other })()
	old = 5
	end()
	other = 1
	if got := n.Status().Rejected; got == nil || *got != 6 {
		t.Errorf("%v are rejected, want 6", got)
	}
}
