package score

import (
	"cmp"
	"slices"
	"time"

	"tipoff"
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
		c := counted{e, e.pop.Value(at, PopularityHalfLife)}
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
	answer := make([]tipoff.PopularEvent, min(n, len(all)))
	for i := range answer {
		e := all[i].e
		answer[i] = tipoff.PopularEvent{
			Event: *e.event, Score: round(all[i].score), Bets: uint64(e.legCount), Outcomes: []tipoff.PopularOutcome{},
		}
		for _, o := range e.outcomes {
			answer[i].Outcomes = append(answer[i].Outcomes, tipoff.PopularOutcome(o))
		}
	}
	return answer
}

// homeBets is the same as [entry.betsFrom], in the precision of a term.
func (e *entry) homeBets(country uint32, at int64) float32 {
	for i := range e.countries {
		if c := &e.countries[i]; c.country == country {
			return float32(c.Sum) * exp2(-float32(max(0, at-c.At))*(1/popularitySeconds))
		}
	}
	return 0
}

const popularitySeconds = float32(PopularityHalfLife / time.Second)

// betsFrom is the decayed number of bets on the event from one country.
func (e *entry) betsFrom(country uint32, at int64) float64 {
	for i := range e.countries {
		if e.countries[i].country == country {
			return e.countries[i].Value(at, PopularityHalfLife)
		}
	}
	return 0
}
