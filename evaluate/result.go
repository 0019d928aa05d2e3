package evaluate

import (
	"slices"
	"time"

	"tipoff/rank"
)

// Result is how one ranker did on one log.
type Result struct {
	Log     string  `json:"log"`
	Ranker  string  `json:"ranker"`
	Coupons int     `json:"coupons"`
	Scored  int     `json:"scored"`
	HR      float64 `json:"hr10"`
	Recall  float64 `json:"recall10"`
	NDCG    float64 `json:"ndcg10"`
	MRR     float64 `json:"mrr10"`

	Coverage float64 `json:"coverage"` // share of all events that were shown
	Novelty  float64 `json:"novelty"`  // bits
	P50      float64 `json:"us_per_query_p50"`
	P99      float64 `json:"us_per_query_p99"`

	Interval   [2]float64       `json:"ndcg10_interval"`             // 95%, bootstrap over users
	Difference *[2]float64      `json:"ndcg10_difference,omitempty"` // to tipoff, 95%, the same users
	Slices     map[string]Slice `json:"slices"`
	Line       []float64        `json:"ndcg10_over_time,omitempty"`

	Beginnings []Beginning `json:"beginnings,omitempty"` // the shortest first; those that the log is long enough for

	LastDay Slice `json:"last_day"` // of the log, as the live gauges count it

	Sizes Sizes `json:"state_bytes"`

	ahead  int
	shown  map[int32]bool
	micros []float64
	users  map[int32]*userSum
	line   []Slice
	live   rank.Live
}

// Slice is how a ranker did on a part of the questions.
type Slice struct {
	Scored int     `json:"scored"`
	HR     float64 `json:"hr10"`
	NDCG   float64 `json:"ndcg10"`
}

// The names of slices.
const (
	SliceNew    = "users with 0 bets"
	SliceFew    = "users with 1-5 bets"
	SliceMany   = "users with more bets"
	SliceTail   = "events under 10 bets"
	fewBets     = 5
	longTail    = 10
	samplesKept = 1 << 20
)

type userSum struct {
	scored int
	ndcg   float64
}

func newResult(log, ranker string, ahead, points int) *Result {
	return &Result{
		Log: log, Ranker: ranker, ahead: max(1, ahead), Slices: map[string]Slice{}, shown: map[int32]bool{},
		users: map[int32]*userSum{}, line: make([]Slice, points),
	}
}

func (r *Result) add(a *ranking) {
	r.Scored++
	gain, hit := ndcg(a), hitRate(a)
	r.live.Add(rank.Grade{Targets: len(a.targets), HR: hit, NDCG: gain}, a.at)
	r.HR += hit
	r.Recall += recall(a)
	r.NDCG += gain
	r.MRR += reciprocalRank(a)
	r.Novelty += novelty(a)
	for _, e := range a.top {
		r.shown[e] = true
	}
	if len(r.micros) < samplesKept {
		r.micros = append(r.micros, a.micros)
	}
	u := r.users[a.user]
	if u == nil {
		u = new(userSum)
		r.users[a.user] = u
	}
	u.scored++
	u.ndcg += gain
	switch {
	case a.bets == 0:
		r.slice(SliceNew, hit, gain)
	case a.bets <= fewBets:
		r.slice(SliceFew, hit, gain)
	default:
		r.slice(SliceMany, hit, gain)
	}
	if !slices.ContainsFunc(a.targets, func(t int32) bool { return a.events[t].bets >= longTail }) {
		r.slice(SliceTail, hit, gain)
	}
	if len(r.line) > 0 {
		p := &r.line[min(int(a.along*float64(len(r.line))), len(r.line)-1)]
		p.Scored++
		p.NDCG += gain
	}
}

func (r *Result) slice(name string, hit, gain float64) {
	s := r.Slices[name]
	s.add(hit, gain)
	r.Slices[name] = s
}

// add counts a ranking; mean makes the averages of the sums.
func (s *Slice) add(hit, gain float64) {
	s.Scored++
	s.HR += hit
	s.NDCG += gain
}

func (s *Slice) mean() {
	s.HR /= float64(max(1, s.Scored))
	s.NDCG /= float64(max(1, s.Scored))
}

func (r *Result) finish(events int) {
	scored := float64(max(1, r.Scored))
	for _, sum := range []*float64{&r.HR, &r.Recall, &r.NDCG, &r.MRR, &r.Novelty} {
		*sum /= scored
	}
	r.Coverage = float64(len(r.shown)) / float64(max(1, events))
	for name, s := range r.Slices {
		s.mean()
		r.Slices[name] = s
	}
	for i := range r.Beginnings {
		r.Beginnings[i].mean()
	}
	if day := r.live.Over(24 * time.Hour); day.Coupons > 0 {
		n := float64(day.Coupons)
		r.LastDay = Slice{int(day.Coupons), day.HR / n, day.NDCG / n}
	}
	for _, p := range r.line {
		r.Line = append(r.Line, p.NDCG/float64(max(1, p.Scored)))
	}
	slices.Sort(r.micros)
	if n := len(r.micros); n > 0 {
		r.P50, r.P99 = r.micros[n/2], r.micros[n*99/100]
	}
}

// byLog parts results where another log begins.
func byLog(results []*Result) (logs [][]*Result) {
	for len(results) > 0 {
		n := 1
		for n < len(results) && results[n].Log == results[0].Log {
			n++
		}
		logs, results = append(logs, results[:n]), results[n:]
	}
	return logs
}

// Clock is a clock for [Options], in microseconds since it was made.
func Clock() func() float64 {
	began := time.Now()
	return func() float64 { return float64(time.Since(began).Nanoseconds()) / 1e3 }
}
