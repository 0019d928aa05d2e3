package rank

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"tipoff"
)

// What a score has besides its weighted terms. See [ranking.mix], [usual],
// [ranking.rerankTop] and [round].
const (
	nameOwnSport     = "own taste, sport"
	nameOwnLeague    = "own taste, league"
	nameUsual        = "usual, " // and the part's name
	nameSecondStage  = "second stage"
	nameBehindSecond = "behind the second stage"
	nameRounding     = "rounding"
)

// Explain says what the score of one event is made of that [Index.Rank] shows, or would
// show were its list longer, for the question. The contributions add up to the score.
// The error wraps [tipoff.ErrNotFound] where the event is not known or not open, and
// [tipoff.ErrConflict] where it cannot be recommended to the bettor, or not to the
// question.
func (x *Index) Explain(q *Question, event string, s *Scratch) (tipoff.Explanation, error) {
	slot, known := x.slots[tipoff.EventRef(event)]
	if !known || x.entries[slot].event == nil || x.entries[slot].event.ID != event {
		return tipoff.Explanation{}, fmt.Errorf("event %s: %w", event, tipoff.ErrNotFound)
	}
	s.reset(len(x.categories), len(x.entries))
	r := &s.ranking
	r.begin(x, q, s)
	if err := r.refusal(slot); err != nil {
		return tipoff.Explanation{}, err
	}
	r.arrange()
	usual := r.usual()
	place := r.placeOf(slot)
	c := r.outside(slot)
	if place < len(r.pool) {
		c = r.pool[place]
	}
	item := r.item(&c, &usual)
	e := tipoff.Explanation{
		UserID: q.UserID, Event: item.Event, Ranker: cmp.Or(q.Ranker, RankerTipoff), Formula: ComparedRankers[r.formula],
		Score: item.Score, Reason: &item.Reason, Terms: r.explain(&c, &usual, item.Score), At: q.Now,
	}
	if place >= q.N {
		place = max(q.N, x.placeAmongMost(q, slot, s))
	}
	if place++; place <= tipoff.MaxItems {
		e.Rank = &place
	}
	return e, nil
}

// refusal says why an event cannot be recommended; nil: it can.
func (r *ranking) refusal(slot int32) error {
	e := &r.entries[slot]
	refused := func(kind error, form string, args ...any) error {
		return &tipoff.Refusal{Kind: kind, Reason: fmt.Sprintf(form, args...)}
	}
	switch {
	case e.begin <= r.micros:
		return refused(tipoff.ErrNotFound, "the event is not open: it has begun")
	case e.openIndex < 0:
		return refused(tipoff.ErrNotFound, "the event is not open: its status is %s", e.event.Status)
	case r.hasBet(slot):
		return refused(tipoff.ErrConflict, "the user has bet on this event, so it is not recommended to him")
	case r.skip[slot] == r.generation:
		return refused(tipoff.ErrConflict, "exclude names this event")
	case r.q.Followed && !r.follows(e) && r.bettor != nil:
		return refused(tipoff.ErrConflict, "this scenario shows sports and leagues that the user has bet on, which those of this event are not")
	case !r.admits(slot):
		return refused(tipoff.ErrConflict, "the event does not pass the filters: sport, league, country or within")
	case r.isSimilar() && !r.follows(e):
		return refused(tipoff.ErrConflict, "the ranker similar shows sports and leagues that the user has bet on, which those of this event are not")
	}
	return nil
}

// hasBet says whether the bettor has bet on the event, as far as is known.
func (r *ranking) hasBet(slot int32) bool {
	b := r.bettor
	return b != nil && (slices.Contains(r.past, slot) || slices.Contains(b.waiting, r.entries[slot].ref) ||
		slices.ContainsFunc(b.legs, func(leg legBet) bool { return leg.slot == slot }))
}

// placeOf is where the event is in the pool, from 0 on; the pool's length: it is not.
func (r *ranking) placeOf(slot int32) int {
	if i := slices.IndexFunc(r.pool, func(c candidate) bool { return c.slot == slot }); i >= 0 {
		return i
	}
	return len(r.pool)
}

// placeAmongMost is where the event is in the longest list there is for the question;
// [tipoff.MaxItems] where it is not among them.
func (x *Index) placeAmongMost(q *Question, slot int32, s *Scratch) int {
	long := *q
	long.N = tipoff.MaxItems
	s.reset(len(x.categories), len(x.entries))
	r := &s.ranking
	r.begin(x, &long, s)
	r.arrange()
	if place := r.placeOf(slot); place < len(r.pool) {
		return min(place, tipoff.MaxItems)
	}
	return tipoff.MaxItems
}

// outside is an event that is not in the pool, with the score that it would have there.
func (r *ranking) outside(slot int32) candidate {
	l := &scored{slot: slot}
	r.complete(l)
	if l.score = dot(&r.weights, &l.terms); r.isSimilar() {
		l.score = r.tieBreak(r.tieSeed(), slot)
	}
	c := candidate{scored: l, score: l.score, entry: &r.entries[slot]}
	if r.hasMoved {
		c.score = r.behindTop(c.score)
	}
	return c
}

// explain lists what a candidate's score is made of, the largest contribution first.
func (r *ranking) explain(c *candidate, u *usual, score float64) []tipoff.Term {
	list := make([]tipoff.Term, 0, Terms)
	add := func(name string, value, weight float64, words string) {
		if contribution := value * weight; contribution != 0 {
			list = append(list, tipoff.Term{Name: name, Value: value, Weight: weight, Contribution: contribution, Words: words})
		}
	}
	for t, v := range c.terms {
		add(TermNames[t], float64(v), float64(r.weights[t])-float64(r.own[t]), r.termInWords(t, v, c.entry))
	}
	add(nameOwnSport, float64(c.terms[termSport]), float64(r.own[termSport]),
		"how much more than others the user bets on "+c.entry.event.Sport+", or less; counts while few have bet")
	add(nameOwnLeague, float64(c.terms[termLeague]), float64(r.own[termLeague]),
		"how much more than others the user bets on "+c.entry.event.League+", or less; counts while few have bet")
	for part, v := range u.parts {
		add(nameUsual+PartNames[part], float64(v), -1, "what the best events have of this ("+PartNames[part]+") on average, which speaks for none of them")
	}
	if r.hasMoved {
		name, words := nameBehindSecond, "stays behind the events that the second stage has moved"
		if slices.Contains(r.top, c.scored) {
			name, words = nameSecondStage, "how far the second stage moves it, which compares the best events with each other"
		}
		moved, unit := float64(c.score-c.scored.score), float64(r.unit)
		if unit == 0 { // a formula that may be anything does not count at all
			unit = 1
		}
		add(name, moved/unit, unit, words)
	}
	rest := score
	for i := range list {
		rest -= list[i].Contribution
	}
	add(nameRounding, rest, 1, "scores are shown with four digits after the point")
	slices.SortStableFunc(list, func(a, b tipoff.Term) int {
		return cmp.Compare(math.Abs(b.Contribution), math.Abs(a.Contribution))
	})
	return list
}
