package evaluate

import (
	"time"

	"tipoff"
	"tipoff/rank"
	"tipoff/state"
)

// served is the ranking that serves, on the state that the tables keep.
type served struct {
	name, ranker string
	diversity    float64
	whole        bool
	model        *rank.Model // nil: the world's
	untaught     bool        // the model stays as it is
	numbers      map[string]int32
}

// Without returns the learnt ranker without a term, or the terms of a part of the
// score; it learns for itself.
func Without(name string) Ranker {
	m := rank.NewModel()
	m.Without(name)
	return &served{name: "tipoff -" + name, ranker: rank.RankerTipoff, model: m, numbers: map[string]int32{}}
}

// Served returns a ranker of package rank under a name; diversity is that of its slate,
// and whole says that every open event is ranked, not only those retrieved.
func Served(name, ranker string, diversity float64, whole bool) Ranker {
	return &served{name: name, ranker: ranker, diversity: diversity, whole: whole, numbers: map[string]int32{}}
}

func (s *served) Name() string { return s.name }

// Learn teaches the ranker's own model; the world's is taught by the judge.
func (s *served) Learn(q *Query, legs []int32) {
	if s.model != nil && !s.untaught {
		events := make([]uint64, 0, len(legs))
		for _, leg := range legs {
			events = append(events, tipoff.EventRef(q.Events[leg].ID))
		}
		s.model.Learn(q.World.Index, q.World.question(q, s), events, &q.World.scratch)
	}
}

func (s *served) Top(q *Query) []int32 {
	for n := len(s.numbers); n < len(q.Events); n++ {
		s.numbers[q.Events[n].ID] = int32(n)
	}
	var top []int32
	for _, r := range q.World.rank(q, s) {
		top = append(top, s.numbers[r.Event.ID])
	}
	return top
}

// rank ranks as the service would. What the judge knows of older bets than the
// bettor's state keeps is excluded, as a client would.
func (w *World) rank(q *Query, s *served) []tipoff.Item {
	return w.Index.Rank(w.question(q, s), &w.scratch)
}

func (w *World) question(q *Query, s *served) *rank.Question {
	question := &rank.Question{
		Query: tipoff.Query{UserID: q.UserID, N: Depth, Diversity: s.diversity},
		Now:   q.Now, Ranker: s.ranker, Model: w.Model, Whole: s.whole,
	}
	if s.model != nil {
		question.Model = s.model
	}
	if len(q.History) > state.MaxLegs/2 {
		for _, e := range q.History[state.MaxLegs/2:] {
			question.Exclude = append(question.Exclude, q.Events[e].ID)
		}
	}
	return question
}

// Learn lets the model learn from a coupon, before the state knows of it.
func (w *World) Learn(c *tipoff.Coupon, now time.Time) {
	events := make([]uint64, 0, len(c.Selections))
	for _, s := range c.Selections {
		events = append(events, tipoff.EventRef(s.EventID))
	}
	w.Model.Learn(w.Index, &rank.Question{Query: tipoff.Query{UserID: c.UserID}, Now: now}, events, &w.scratch)
}
