package views

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"tipoff"
	"tipoff/rank"
)

// How many answers of a minute are all counted as shown; of further ones it is one of so
// many, which counts for all of them.
const (
	countedAll = 600
	countedOf  = 16
)

// sampler chooses which answers are counted. What lookups share of it they mostly only
// read, so that none waits for another.
type sampler struct {
	taken atomic.Uint64 // a minute's number above how many of its answers were chosen
}

// weigh returns how many answers one that is given in a minute stands for: 0 where it is
// not counted, as most are not.
func (s *sampler) weigh(minute uint32) uint32 {
	was := s.taken.Load()
	switch {
	case uint32(was>>32) != minute: // the first of its minute
		s.taken.CompareAndSwap(was, uint64(minute)<<32|1)
	case uint32(was) < countedAll:
		s.taken.Add(1)
	case rand.Uint32()%countedOf == 0:
		return countedOf
	default:
		return 0
	}
	return 1
}

// show counts what a recommendation shows.
func (c *company) show(r *tipoff.Recommendation, now time.Time) {
	minute := uint32(now.Unix() / 60)
	if times := c.sampler.weigh(minute); times > 0 {
		for i := range r.Items {
			r.Items[i].Event.Show(minute, times)
		}
	}
}

// Quality says how good the recommendations of a company are: how well they foresee its
// coupons, what was shown of late by these views, and what the model has learnt.
func (v *Views) Quality(company string, now time.Time) tipoff.Quality {
	q := tipoff.Quality{
		Ranker: cmp.Or(v.ranker, rank.RankerTipoff), WindowSeconds: int(time.Hour / time.Second),
		Spans: []tipoff.LiveSpan{}, Hours: []tipoff.LiveSpan{}, Weights: []tipoff.TermWeight{}, WeightsOverTime: []tipoff.WeightsThen{},
	}
	c := v.company(company)
	if c == nil {
		return q
	}
	c.mu.RLock()
	learnt, showings, movement := c.learnt, c.index.Showings(now), slices.Clone(c.movement.points)
	c.mu.RUnlock()
	q.Coverage = showings.Coverage()
	listed := func(to *[]tipoff.LiveSpan) func(time.Time, *rank.LiveSpan) {
		return func(from time.Time, s *rank.LiveSpan) {
			span := means(s)
			span.From = from
			*to = append(*to, span)
		}
	}
	learnt.Live.Each(listed(&q.Spans))
	learnt.Live.Hours(listed(&q.Hours))
	for window, to := range map[time.Duration]**tipoff.LiveSpan{time.Hour: &q.LastHour, 24 * time.Hour: &q.LastDay} {
		if sum := learnt.Live.Over(window); sum.Coupons > 0 {
			span := means(&sum)
			*to = &span
		}
	}
	if learnt.Model == nil {
		return q
	}
	if q.Ranker == rank.RankerTipoff {
		q.Leader = rank.ComparedRankers[learnt.Model.Leader()]
	}
	q.Weights = largestFirst(learnt.Model.AlwaysWeights())
	q.WeightsOverTime = over(movement, q.Weights[:movedTerms])
	return q
}

// means are those of a span's grades.
func means(s *rank.LiveSpan) tipoff.LiveSpan {
	n := float64(s.Coupons)
	m := tipoff.LiveSpan{Coupons: s.Coupons, NDCG: s.NDCG / n, HR: s.HR / n}
	m.Band[0], m.Band[1] = s.Band()
	if s.Compared == s.Coupons { // else popularity answered some of the coupons alone
		ndcg, hr := s.PopularNDCG/float64(s.Compared), s.PopularHR/float64(s.Compared)
		m.PopularNDCG, m.PopularHR = &ndcg, &hr
	}
	return m
}

// largestFirst names weights by their terms.
func largestFirst(weights [rank.Terms]float32) []tipoff.TermWeight {
	named := make([]tipoff.TermWeight, rank.Terms)
	for t, w := range weights {
		named[t] = tipoff.TermWeight{Term: rank.TermNames[t], Weight: float64(w)}
	}
	slices.SortStableFunc(named, func(a, b tipoff.TermWeight) int {
		return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight))
	})
	return named
}
