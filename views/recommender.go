package views

import (
	"cmp"
	"time"

	"tipoff"
	"tipoff/rank"
)

// Why a recommendation is empty.
const (
	EmptyNoEvents = "no event is open"
	EmptyFilters  = "no open event passes the filters, or the user has bet on all that do"
)

// Recommend returns recommendations from what the company's state holds at now. The
// items are shared with other answers.
func (v *Views) Recommend(company string, q tipoff.Query, now time.Time) tipoff.Recommendation {
	c := v.company(company)
	if c == nil {
		return tipoff.Recommendation{UserID: q.UserID, Items: []tipoff.Item{}, ColdStart: true, EmptyBecause: EmptyNoEvents}
	}
	asked, isKept := questionOf(company, &q)
	place := v.kept.place(&asked)
	c.mu.RLock()
	defer c.mu.RUnlock()
	bettor := c.index.Bettor(q.UserID)
	if isKept {
		if a := place.Load(); a.holds(c, &asked, versionOf(bettor), now) {
			c.show(&a.answer, now)
			return a.answer
		}
	}
	answer := v.rank(c, &q, bettor, now)
	if q.Ranker == "" { // else it is compared, and shown to nobody
		c.show(&answer, now)
	}
	if isKept {
		own := asked.own()
		answer.UserID = own.user
		place.Store(&keptAnswer{own, now, versionOf(bettor), c.index.Posted(), answer})
	}
	return answer
}

// rank answers a question. The company's lock is held.
func (v *Views) rank(c *company, q *tipoff.Query, bettor *rank.Bettor, now time.Time) tipoff.Recommendation {
	answer := tipoff.Recommendation{UserID: q.UserID, Items: []tipoff.Item{}, EmptyBecause: EmptyNoEvents}
	answer.ColdStart = bettor == nil || bettor.LegCount == 0
	if answer.ColdStart { // follows nothing yet: what is popular then
		q.Followed = false
	}
	scratch := v.scratches.Get().(*rank.Scratch)
	defer v.scratches.Put(scratch)
	items := c.index.Rank(v.asked(c, q, now), scratch)
	if _, open := c.index.Len(); open > 0 {
		answer.EmptyBecause = EmptyFilters
	}
	if len(items) > 0 {
		answer.Items, answer.EmptyBecause = items, ""
	}
	return answer
}

// asked is a query as it is ranked: by the ranker that it names, else by the one that
// serves.
func (v *Views) asked(c *company, q *tipoff.Query, now time.Time) *rank.Question {
	return &rank.Question{Query: *q, Now: now, Ranker: cmp.Or(q.Ranker, v.ranker), Model: c.learnt.Model}
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
	c.mu.RLock()
	defer c.mu.RUnlock()
	b := c.index.Bettor(id)
	if b == nil {
		return tipoff.User{}, false
	}
	return b.User()
}

// Affinities says what was learnt of a user, posted or not.
func (v *Views) Affinities(company, id string, now time.Time) (tipoff.Affinities, bool) {
	c := v.company(company)
	if c == nil {
		return tipoff.Affinities{}, false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.index.Affinities(id, now)
}
