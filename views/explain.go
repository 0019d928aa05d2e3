package views

import (
	"fmt"
	"sync/atomic"
	"time"

	"tipoff"
	"tipoff/rank"
)

// Explain says what the score of one event is made of that [Views.Recommend] shows for the
// same query. The error is that of [rank.Index.Explain].
func (v *Views) Explain(company, event string, q tipoff.Query, now time.Time) (tipoff.Explanation, error) {
	c := v.company(company)
	if c == nil {
		return tipoff.Explanation{}, fmt.Errorf("event %s: %w", event, tipoff.ErrNotFound)
	}
	asked, isKept := questionOf(company, &q)
	c.mu.RLock()
	defer c.mu.RUnlock()
	bettor := c.index.Bettor(q.UserID)
	if bettor == nil || bettor.LegCount == 0 { // see [Views.rank]
		q.Followed = false
	}
	if isKept {
		place := v.kept.place(&asked)
		if a := place.Load(); a.holds(c, &asked, versionOf(bettor), now) {
			return v.explainKept(c, event, &q, now, place, a)
		}
	}
	return v.explain(c, event, &q, now)
}

// explain explains by what is known at a moment. The company's lock is held.
func (v *Views) explain(c *company, event string, q *tipoff.Query, at time.Time) (tipoff.Explanation, error) {
	scratch := v.scratches.Get().(*rank.Scratch)
	defer v.scratches.Put(scratch)
	return c.index.Explain(v.asked(c, q, at), event, scratch)
}

// explainKept explains an answer that is still given: as of the moment that it was ranked.
// Where others have bet since, so that this does not come to what it shows any more, the
// answer is let go of: from now on both are of this moment.
func (v *Views) explainKept(c *company, event string, q *tipoff.Query, now time.Time, place *atomic.Pointer[keptAnswer], a *keptAnswer) (tipoff.Explanation, error) {
	if e, err := v.explain(c, event, q, a.at); err == nil && shows(&a.answer, &e) {
		return e, nil
	}
	place.CompareAndSwap(a, nil)
	return v.explain(c, event, q, now)
}

// shows says whether a recommendation has the event where and as the explanation says.
func shows(r *tipoff.Recommendation, e *tipoff.Explanation) bool {
	for i := range r.Items {
		if item := &r.Items[i]; item.Event.ID == e.Event.ID {
			return item.Score == e.Score && item.Reason == *e.Reason && e.Rank != nil && *e.Rank == i+1
		}
	}
	return e.Rank == nil || *e.Rank > len(r.Items)
}
