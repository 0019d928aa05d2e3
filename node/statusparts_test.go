package node

import (
	"runtime"
	"sync"
	"sync/atomic"
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

// TestStatusParts_DateEachChangeOnce, although a watch and those who ask look at them.
func TestStatusParts_DateEachChangeOnce(t *testing.T) {
	t.Parallel()
	var asking, calls atomic.Int64
	p := &part{name: "bettors", state: func() broker.State {
		if asking.Add(1) > 1 {
			t.Error("two look at a time")
		}
		runtime.Gosched()
		defer asking.Add(-1)
		return broker.State{Ready: true, Failing: calls.Add(1) > 100}
	}}
	var looking sync.WaitGroup
	var mu sync.Mutex
	dates := map[string]map[time.Time]bool{http.PartReady: {}, http.PartFailing: {}}
	began := time.Now()
	for i := range 8 {
		looking.Go(func() {
			for j := range 100 {
				is := p.look("bettors", began.Add(time.Duration(100*i+j)))
				mu.Lock()
				dates[is.State][*is.Since] = true
				mu.Unlock()
			}
		})
	}
	looking.Wait()
	for state, of := range dates {
		if len(of) != 1 {
			t.Errorf("it is %s since %d moments", state, len(of))
		}
	}
}
