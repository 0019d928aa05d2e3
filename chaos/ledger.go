package main

import (
	"sync"
	"time"
)

// verdict is what the harness knows of a fact that it has posted.
type verdict int

const (
	unknown  verdict = iota // no response, or one that says nothing: it may be in or not
	accepted                // must be in, once
	refused                 // must not be in
)

// entry is one fact of the ledger: a user's or an event's version, a change of an
// event, or a coupon.
type entry struct {
	topic   string
	entity  string // the user's or event's id; a coupon's as user and coupon
	tag     string // tells the versions of one entity apart
	content string // canonical JSON, as the topic must hold it
	verdict verdict
	doubt   bool // some attempt had no response: it may arrive late
	number  int  // in the order in which the facts of one entity were posted
}

// ledger is the harness's own account of what it posted and what came back.
type ledger struct {
	mu      sync.Mutex
	entries map[string]*entry // by topic, entity and tag
	last    map[string]int    // number of the newest entry of an entity
	counts  map[verdict]int64 // of responses
	repeats int64
	accepts []stamp // for the plot
}

type stamp struct {
	at    time.Time
	facts int
}

func newLedger() *ledger {
	return &ledger{entries: map[string]*entry{}, last: map[string]int{}, counts: map[verdict]int64{}}
}

func entryKey(topic, entity, tag string) string { return topic + "\x00" + entity + "\x00" + tag }

// post books that a fact is sent, perhaps again.
func (l *ledger) post(e entry) *entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := entryKey(e.topic, e.entity, e.tag)
	known := l.entries[key]
	if known == nil {
		l.last[e.topic+e.entity]++
		e.number = l.last[e.topic+e.entity]
		known = &e
		l.entries[key] = known
	} else {
		l.repeats++
	}
	return known
}

// note books what came back for facts that were sent together. Accepted once
// is accepted, whatever comes back for a repeat.
func (l *ledger) note(entries []*entry, verdicts []verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := 0
	for i, e := range entries {
		v := verdicts[i]
		l.counts[v]++
		switch v {
		case accepted:
			e.verdict = accepted
			got++
		case refused:
			if e.verdict == unknown && !e.doubt {
				e.verdict = refused
			}
		case unknown:
			e.doubt = true
		}
	}
	if got > 0 {
		l.accepts = append(l.accepts, stamp{time.Now(), got})
	}
}

// find returns the entry of a fact that stands on a topic; nil: nobody posted it.
func (l *ledger) find(topic, entity, tag string) *entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[entryKey(topic, entity, tag)]
}

// all lists the entries.
func (l *ledger) all() []*entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]*entry, 0, len(l.entries))
	for _, e := range l.entries {
		list = append(list, e)
	}
	return list
}
