package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tipoff"
	"tipoff/oracle"
	"tipoff/topics"
)

// probe measures recovery: it posts one bet in every partition and returns once each
// is in MySQL and in the view of each api.
func (h *harness) probe(ctx context.Context, round int) error {
	l := newLoad(h, round)
	defer l.client.CloseIdleConnections()
	w := &worker{load: l, random: newRandom(h.Seed, uint64(9_000_000+round)), doubtful: map[string]bool{}, versions: map[string]int{}}
	if err := w.postProbeEvents(ctx); err != nil {
		return err
	}
	users := probeUsers(round)
	var items []any
	var entries []*entry
	for i, user := range users {
		c := tipoff.Coupon{ID: "probe", UserID: user, Stake: 1, Timestamp: time.Now().UTC().Truncate(time.Millisecond),
			Selections: []tipoff.Selection{{EventID: h.probeEvents[i], Odds: 2}}}
		items, entries = append(items, c), append(entries, h.ledger.post(w.couponEntry(c)))
	}
	if err := w.postAll(ctx, "/v1/coupons", items, entries); err != nil {
		return err
	}
	return eventually(ctx, "recovery", func() error {
		if err := h.learntFrom(ctx, users); err != nil {
			return err
		}
		saved := 0
		if err := h.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM coupons WHERE coupon_id = 'probe' AND user_id LIKE ?", fmt.Sprintf("probe-%d-%%", round)).Scan(&saved); err != nil {
			return err
		}
		if saved < partitions {
			return fmt.Errorf("MySQL has %d of %d bets", saved, partitions)
		}
		return nil
	})
}

// learntFrom returns nil once each api has learnt from a bet of each user.
func (h *harness) learntFrom(ctx context.Context, users []string) error {
	for _, api := range h.apis() {
		for _, user := range users {
			var has struct{ Bets int }
			if err := get(ctx, h.url(api)+"/v1/users/"+user+"/affinities", &has); err != nil {
				return err
			}
			if has.Bets == 0 {
				return fmt.Errorf("%s has not learnt from the bet of %s", api.name, user)
			}
		}
	}
	return nil
}

// probeUsers are new users, one in every partition.
func probeUsers(round int) []string {
	users := make([]string, partitions)
	for number, found := 0, 0; found < partitions; number++ {
		user := fmt.Sprintf("probe-%d-%d", round, number)
		hash := topics.NewKeyHash()
		_, _ = hash.Write([]byte(topics.Key(company, user)))
		p := int32(hash.Sum32())
		if p < 0 {
			p = -p
		}
		if at := p % partitions; users[at] == "" {
			users[at] = user
			found++
		}
	}
	return users
}

// postProbeEvents posts the events that all probes bet on, once.
func (w *worker) postProbeEvents(ctx context.Context) error {
	if len(w.h.probeEvents) > 0 {
		return nil
	}
	var items []any
	var entries []*entry
	begin := time.Now().AddDate(0, 0, 20).UTC().Truncate(time.Second)
	for i := range partitions {
		e := tipoff.Event{
			ID: fmt.Sprintf("probe-event-%d", i), Sport: "Probe", League: "Probe", Country: "Italy", Participants: []string{"Probe"},
			Begin: begin, End: begin.Add(time.Hour), Status: tipoff.StatusOpen, Extra: []byte(`{"v":"v1"}`),
		}
		items, w.h.probeEvents = append(items, e), append(w.h.probeEvents, e.ID)
		entries = append(entries, w.ledger.post(entry{topic: topics.Events, entity: e.ID, tag: "v1", content: oracle.Canonical(e)}))
	}
	return w.postAll(ctx, "/v1/events", items, entries)
}

// postAll posts until everything is accepted.
func (w *worker) postAll(ctx context.Context, path string, items []any, entries []*entry) error {
	posted := false
	return eventually(ctx, "POST "+path, func() error {
		for _, e := range entries {
			if posted {
				w.ledger.post(*e)
			}
		}
		posted = true
		w.sendBody(ctx, http.MethodPost, path, items, entries)
		for _, e := range entries {
			if e.verdict != accepted {
				return errors.New("not everything is accepted")
			}
		}
		return nil
	})
}
