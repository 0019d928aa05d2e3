package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"tipoff"
)

// load is the companies' side: workers that post users, events and coupons through
// the gateways, and book the responses in the ledger. Each user and event belongs to one
// worker, who posts the next version only after a response to the last one.
type load struct {
	h      *harness
	round  int
	ledger *ledger
	client *http.Client

	mu     sync.Mutex
	events []string          // of this round, posted or soon to be
	bets   map[string]int    // legs posted of each user of this round
	sure   map[string]bool   // users all of whose coupons were accepted at once
	chosen map[string]events // by user
	moved  map[string]string // events changed in this round: the tag of the newest version
	vague  map[string]bool   // events some change of which had no response
}

type events map[string]bool

const (
	workers       = 4
	pause         = 20 * time.Millisecond // of a worker between two posts
	legsPerBettor = 24                    // all of them stay among the last ones that a bettor's state keeps
	company       = "default"
)

// The names are few, so that no list in a table overflows: then every value has
// exactly one right content.
var (
	countries = []string{"Italy", "Brazil", "Nigeria", "Japan"}
	leagues   = []struct{ sport, league string }{
		{"Soccer", "Serie A"}, {"Soccer", "Premier League"}, {"Basketball", "NBA"}, {"Tennis", "ATP"}, {"Ice Hockey", "NHL"},
	}
	markets  = []string{"", "1x2", "totals"}
	outcomes = []string{"1", "X", "2"}
)

func newLoad(h *harness, round int) *load {
	return &load{
		h: h, round: round, ledger: h.ledger,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * workers}},
		bets:   map[string]int{}, sure: map[string]bool{}, chosen: map[string]events{}, moved: map[string]string{}, vague: map[string]bool{},
	}
}

// run posts until ctx ends; what is under way then is brought to an end.
func (l *load) run(ctx context.Context) {
	defer l.client.CloseIdleConnections()
	var running sync.WaitGroup
	for number := range workers {
		w := &worker{load: l, number: number, random: newRandom(l.h.Seed, uint64(l.round*workers+number)), doubtful: map[string]bool{}}
		running.Go(func() { w.run(ctx) })
	}
	running.Wait()
}

type worker struct {
	*load
	number   int
	random   *rand.Rand
	made     int // entities so far
	users    []string
	versions map[string]int
	own      []tipoff.Event
	sent     []tipoff.Coupon // accepted ones, to contradict
	doubtful map[string]bool // entities whose last version may still be under way
}

func (w *worker) run(ctx context.Context) {
	w.versions = map[string]int{}
	w.postUsers(ctx)
	w.postEvents(ctx)
	for ctx.Err() == nil {
		switch at := w.random.IntN(100); {
		case at < 12:
			w.postUsers(ctx)
		case at < 22:
			w.postEvents(ctx)
		case at < 32:
			w.patchEvent(ctx)
		case at < 36:
			w.postNonsense(ctx)
		case at < 39:
			w.contradict(ctx)
		default:
			w.postCoupons(ctx)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (w *worker) id(kind string) string {
	w.made++
	return fmt.Sprintf("%s-%d-%d-%d", kind, w.round, w.number, w.made)
}

func (w *worker) pick(from []string) string { return from[w.random.IntN(len(from))] }
