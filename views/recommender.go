package views

import (
	"time"

	"tipoff"
	"tipoff/rank"
)

// Why a recommendation is empty.
const (
	EmptyNoEvents = "no event is open"
	EmptyFilters  = "no open event passes the filters, or the user has bet on all that do"
)

// Recommend returns recommendations from what the company's state holds at now.
func (v *Views) Recommend(company string, q tipoff.Query, now time.Time) tipoff.Recommendation {
	answer := tipoff.Recommendation{UserID: q.UserID, Items: []tipoff.Item{}, ColdStart: true, EmptyBecause: EmptyNoEvents}
	c := v.company(company)
	if c == nil {
		return answer
	}
	scratch := v.scratches.Get().(*rank.Scratch)
	defer v.scratches.Put(scratch)
	c.mu.RLock()
	defer c.mu.RUnlock()
	bettor := c.bettors[q.UserID]
	answer.ColdStart = bettor == nil || bettor.LegCount == 0
	if answer.ColdStart { // follows nothing yet: what is popular then
		q.Followed = false
	}
	ranked := c.index.Rank(&rank.Question{
		Query: q, Bettor: bettor, Now: now, Ranker: v.ranker, Model: c.learnt.Model,
	}, scratch)
	for _, r := range ranked {
		answer.Items = append(answer.Items, tipoff.Item{Event: *r.Event, Score: r.Score, Reason: r.Reason})
	}
	if _, open := c.index.Len(); open > 0 {
		answer.EmptyBecause = EmptyFilters
	}
	if len(answer.Items) > 0 {
		answer.EmptyBecause = ""
	}
	return answer
}

// Popular lists the n open events most bet on at now, of one sport if named, by
// the bets from one country of users if named.
func (v *Views) Popular(company, sport, country string, n int, now time.Time) []tipoff.PopularEvent {
	c := v.company(company)
	if c == nil {
		return []tipoff.PopularEvent{}
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.index.Popular(sport, country, n, now)
}

// User finds a posted user.
func (v *Views) User(company, id string) (tipoff.User, bool) {
	c := v.company(company)
	if c == nil {
		return tipoff.User{}, false
	}
	b := c.bettor(id)
	if b == nil || !b.Known {
		return tipoff.User{}, false
	}
	return b.User, true
}

// Affinities says what was learnt of a user, posted or not.
func (v *Views) Affinities(company, id string, now time.Time) (tipoff.Affinities, bool) {
	c := v.company(company)
	if c == nil {
		return tipoff.Affinities{}, false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	b := c.bettors[id]
	if b == nil {
		return tipoff.Affinities{}, false
	}
	return c.index.Affinities(b, now), true
}
