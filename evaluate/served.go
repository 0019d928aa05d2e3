package evaluate

import (
	"time"

	"tipoff"
	"tipoff/score"
)

// served asks the ranking that serves, with the state that the tables hold.
type served struct {
	name, ranker string
	diversity    float64
	numbers      map[string]int32
}

// Served returns a ranker of score under a name; diversity is that of its slate.
func Served(name, ranker string, diversity float64) Ranker {
	return &served{name: name, ranker: ranker, diversity: diversity, numbers: map[string]int32{}}
}

func (s *served) Name() string          { return s.name }
func (s *served) Learn(*Query, []int32) {}

func (s *served) Top(q *Query) []int32 {
	for n := len(s.numbers); n < len(q.Events); n++ {
		s.numbers[q.Events[n].ID] = int32(n)
	}
	var top []int32
	for _, r := range q.World.Rank(q.UserID, s.ranker, Depth, s.diversity, q) {
		top = append(top, s.numbers[r.Event.ID])
	}
	return top
}

// Rank answers as the service would. What the judge knows of older bets than the
// bettor's state keeps is excluded, as a client would.
func (w *World) Rank(user, ranker string, n int, diversity float64, q *Query) []score.Ranked {
	b := w.bettors[user]
	question := score.Question{
		Query:  tipoff.Query{UserID: user, N: n, Diversity: diversity},
		Bettor: b, Now: q.Now, Ranker: ranker, Model: w.Model,
	}
	if len(q.History) > score.MaxLegs/2 {
		for _, e := range q.History[score.MaxLegs/2:] {
			question.Exclude = append(question.Exclude, q.Events[e].ID)
		}
	}
	return w.Index.Rank(&question, &w.scratch)
}

// Learn lets the model learn from a coupon, before the state knows of it.
func (w *World) Learn(c *tipoff.Coupon, now time.Time) {
	events := make([]uint64, 0, len(c.Selections))
	for _, s := range c.Selections {
		events = append(events, tipoff.EventRef(s.EventID))
	}
	w.Model.Learn(w.Index, &score.Question{Bettor: w.bettors[c.UserID], Now: now}, events, &w.scratch)
}

type learnt struct{ served }

// Learnt is the research ranker.
func Learnt() Ranker { return &learnt{served{name: "learnt", numbers: map[string]int32{}}} }

func (l *learnt) Top(q *Query) []int32 {
	for n := len(l.numbers); n < len(q.Events); n++ {
		l.numbers[q.Events[n].ID] = int32(n)
	}
	w := q.World
	question := score.Question{Query: tipoff.Query{N: Depth}, Bettor: w.bettors[q.UserID], Now: q.Now, Model: w.Model, Ranker: l.ranker}
	if len(q.History) > score.MaxLegs/2 {
		for _, e := range q.History[score.MaxLegs/2:] {
			question.Exclude = append(question.Exclude, q.Events[e].ID)
		}
	}
	var top []int32
	for _, e := range w.Index.RankLearnt(&question, &w.scratch) {
		top = append(top, l.numbers[e.ID])
	}
	return top
}
