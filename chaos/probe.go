package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"tipoff"
)

// probe measures recovery: it posts one bet in every partition and answers once
// each is in MySQL and in the view of each api.
func (h *harness) probe(ctx context.Context, round int) error {
	l := newLoad(h, round)
	defer l.client.CloseIdleConnections()
	w := &worker{load: l, random: newRandom(h.seed, uint64(9_000_000+round)), doubtful: map[string]bool{}, versions: map[string]int{}}
	users := make([]string, partitions)
	for number, found := 0, 0; found < partitions; number++ {
		user := fmt.Sprintf("probe-%d-%d", round, number)
		hash := tipoff.NewKeyHash()
		_, _ = hash.Write([]byte(tipoff.Key(company, user)))
		p := int32(hash.Sum32())
		if p < 0 {
			p = -p
		}
		if at := p % partitions; users[at] == "" {
			users[at] = user
			found++
		}
	}
	events := h.probeEvents
	if len(events) == 0 {
		var items []any
		var entries []*entry
		for i := range partitions {
			begin := time.Now().AddDate(0, 0, 20).UTC().Truncate(time.Second)
			e := tipoff.Event{
				ID: fmt.Sprintf("probe-event-%d", i), Sport: "Probe", League: "Probe", Country: "Italy", Participants: []string{"Probe"},
				Begin: begin, End: begin.Add(time.Hour), Status: tipoff.StatusOpen, Extra: []byte(`{"v":"v1"}`),
			}
			items, entries = append(items, e), append(entries, h.ledger.post(entry{topic: tipoff.TopicEvents, entity: e.ID, tag: "v1", content: canonical(e)}))
			h.probeEvents = append(h.probeEvents, e.ID)
		}
		if err := w.insist(ctx, "/v1/events", items, entries); err != nil {
			return err
		}
		events = h.probeEvents
	}
	var items []any
	var entries []*entry
	for i, user := range users {
		c := tipoff.Coupon{ID: "probe", UserID: user, Stake: 1, Timestamp: time.Now().UTC().Truncate(time.Millisecond),
			Selections: []tipoff.Selection{{EventID: events[i], Odds: 2}}}
		items, entries = append(items, c), append(entries, h.ledger.post(w.couponEntry(c)))
	}
	if err := w.insist(ctx, "/v1/coupons", items, entries); err != nil {
		return err
	}
	return h.eventually(ctx, "recovery", func() error {
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

// insist posts until everything is accepted.
func (w *worker) insist(ctx context.Context, path string, items []any, entries []*entry) error {
	for {
		w.sendBody(ctx, http.MethodPost, path, items, entries)
		all := true
		for _, e := range entries {
			all = all && e.verdict == accepted
		}
		if all {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		for _, e := range entries {
			w.ledger.post(*e)
		}
	}
}
