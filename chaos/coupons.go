package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"time"

	"tipoff"
	"tipoff/oracle"
	"tipoff/topics"
)

// postCoupons posts bets of own users: on events of anybody, posted or not.
func (w *worker) postCoupons(ctx context.Context) {
	var items []any
	var coupons []tipoff.Coupon
	var entries []*entry
	for range 1 + w.random.IntN(20) {
		c, ok := w.coupon()
		if !ok {
			break
		}
		items = append(items, c)
		coupons = append(coupons, c)
		entries = append(entries, w.ledger.post(w.couponEntry(c)))
	}
	if len(items) == 0 {
		w.postUsers(ctx)
		return
	}
	if len(items) == 1 && w.random.IntN(2) == 0 {
		w.sendBody(ctx, http.MethodPost, "/register_coupon", items[0], entries)
	} else {
		w.send(ctx, "/v1/coupons", items, entries)
	}
	for i, e := range entries {
		if e.verdict == accepted {
			w.sent = append(w.sent, coupons[i])
		}
		w.mu.Lock()
		if e.verdict != accepted || e.doubt {
			delete(w.sure, coupons[i].UserID)
		}
		if w.chosen[coupons[i].UserID] == nil {
			w.chosen[coupons[i].UserID] = events{}
		}
		for _, s := range coupons[i].Selections {
			w.chosen[coupons[i].UserID][s.EventID] = true
		}
		w.mu.Unlock()
	}
}

func (w *worker) couponEntry(c tipoff.Coupon) entry {
	content := oracle.Canonical(c)
	return entry{topic: topics.Coupons, entity: c.UserID + "/" + c.ID, tag: tagOf(content), content: content}
}

// coupon returns a bet; ok is false when no own user may bet any more.
func (w *worker) coupon() (c tipoff.Coupon, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var user string
	for range 10 {
		if user = w.pick(w.users); w.bets[user] < legsPerBettor {
			break
		}
	}
	if w.bets[user] >= legsPerBettor || len(w.load.events) == 0 {
		return c, false
	}
	at := time.Now().Add(-time.Duration(w.random.IntN(48*3600)) * time.Second)
	switch w.random.IntN(25) {
	case 0:
		at = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(w.random.IntN(1e6)) * time.Second)
	case 1:
		at = time.Now().Add(time.Duration(w.random.IntN(3600)) * time.Second)
	}
	c = tipoff.Coupon{ID: w.id("coupon"), UserID: user, Stake: float64(1+w.random.IntN(5000)) / 100, Timestamp: at.UTC().Truncate(time.Millisecond)}
	seen := events{}
	for range 1 + w.random.IntN(3) {
		event := w.pick(w.load.events)
		if w.random.IntN(60) == 0 {
			event = fmt.Sprintf("ghost-%d", w.random.IntN(5)) // never posted
		}
		if seen[event] {
			continue
		}
		seen[event] = true
		s := tipoff.Selection{EventID: event, Odds: float64(101+w.random.IntN(1200)) / 100, Market: w.pick(markets)}
		if s.Market != "" {
			s.Outcome = w.pick(outcomes)
		}
		c.Selections = append(c.Selections, s)
	}
	w.bets[user] += len(c.Selections)
	return c, true
}

// postNonsense posts what must be refused, beside one that must not.
func (w *worker) postNonsense(ctx context.Context) {
	good, ok := w.coupon()
	if !ok {
		return
	}
	bad := good
	bad.ID = w.id("bad")
	switch w.random.IntN(3) {
	case 0:
		bad.Stake = -1
	case 1:
		bad.Timestamp = time.Now().AddDate(1, 0, 0).UTC()
	case 2:
		bad.Selections = nil
	}
	entries := []*entry{w.ledger.post(w.couponEntry(good)), w.ledger.post(w.couponEntry(bad))}
	w.send(ctx, "/v1/coupons", []any{good, bad}, entries)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sure, good.UserID)
}

// contradict posts another content under the id of a coupon that stands.
func (w *worker) contradict(ctx context.Context) {
	if len(w.sent) == 0 {
		return
	}
	c := w.sent[w.random.IntN(len(w.sent))]
	c.Stake += 1
	w.send(ctx, "/v1/coupons", []any{c}, []*entry{w.ledger.post(w.couponEntry(c))})
}

// tagOf tells the contents of one coupon id apart.
func tagOf(content string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(content))
	return strconv.FormatUint(h.Sum64(), 36)
}
