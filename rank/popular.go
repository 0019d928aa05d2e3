package rank

import (
	"cmp"
	"slices"
	"time"

	"tipoff"
	"tipoff/state"
)

// Popular lists the n open events most bet on at now, of one sport if named, by
// the bets from one country of bettors if named.
func (x *Index) Popular(sport, country string, n int, now time.Time) []tipoff.PopularEvent {
	type counted struct {
		e     *entry
		score float64
	}
	var all []counted
	asked, from, at, micros := filterName(sport), filterName(country), now.Unix(), now.UnixMicro()
	for _, slot := range x.open {
		e := &x.entries[slot]
		if e.begin <= micros || (asked != 0 && e.named.sport != asked) {
			continue
		}
		c := counted{e, e.pop.Value(at, state.PopularityHalfLife)}
		if from != 0 {
			c.score = e.betsFrom(from, at)
		}
		if c.score > 0 {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b counted) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.e.event.ID, b.e.event.ID))
	})
	events := make([]tipoff.PopularEvent, min(n, len(all)))
	for i := range events {
		e := all[i].e
		events[i] = tipoff.PopularEvent{
			Event: e.event.Event, Score: round(all[i].score), Bets: uint64(e.legCount), Outcomes: []tipoff.PopularOutcome{},
		}
		for _, o := range e.outcomes {
			events[i].Outcomes = append(events[i].Outcomes, tipoff.PopularOutcome(o))
		}
	}
	return events
}
