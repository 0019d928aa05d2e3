package rank

import (
	"math"
	"slices"
	"time"

	"tipoff"
	"tipoff/wire"
)

// GradeDepth is how many events of a ranking are compared with a coupon.
const GradeDepth = 10

// Grade is how well a ranking foresaw one coupon: its legs among the open events that
// the bettor had not bet on are the targets.
type Grade struct {
	Targets int     // 0: the coupon says nothing
	HR      float64 // 1 where a target is among the first [GradeDepth], else 0
	NDCG    float64 // of the first [GradeDepth]
}

// GradeOf ranks for the question and compares the list with the events of the
// coupon that was made then. The question's length is set to [GradeDepth].
func (x *Index) GradeOf(q *Question, events []uint64, s *Scratch) (g Grade) {
	asked := *q
	asked.N = GradeDepth
	top := x.Rank(&asked, s)
	s.reset(len(x.categories), len(x.entries))
	r := &s.ranking
	r.begin(x, &asked, s)
	gain, best := 0.0, 0.0
	for i, event := range events {
		slot, known := x.slots[event]
		if !known || slices.Contains(events[:i], event) || !r.admits(slot) {
			continue
		}
		if g.Targets < GradeDepth {
			best += 1 / math.Log2(float64(g.Targets)+2)
		}
		g.Targets++
		rank := slices.IndexFunc(top, func(ranked tipoff.Item) bool { return tipoff.EventRef(ranked.Event.ID) == event })
		if rank >= 0 {
			g.HR = 1
			gain += 1 / math.Log2(float64(rank)+2)
		}
	}
	if g.Targets > 0 {
		g.NDCG = gain / best
	}
	return g
}

// liveSpan is the length of one of the spans in which grades are added up, and
// liveSpans how many of them are kept: a day.
const (
	liveSpan  = 5 * time.Minute
	liveSpans = int64(24 * time.Hour / liveSpan)
)

// Live is how well a company's coupons were foreseen of late, by their own clock.
type Live struct {
	Newest int64      // number of the newest span since 1970
	spans  []LiveSpan // by number modulo [liveSpans]
}

// LiveSpan are the grades of some coupons, added up.
type LiveSpan struct {
	Coupons  uint64
	HR, NDCG float64 // sums
}

// Add adds the grade of a coupon made at a Unix second. One that is more than a day
// older than the newest counts no more.
func (l *Live) Add(g Grade, at int64) {
	if g.Targets == 0 {
		return
	}
	if l.spans == nil {
		l.spans = make([]LiveSpan, liveSpans)
	}
	number := at / int64(liveSpan/time.Second)
	if number > l.Newest {
		for n := max(l.Newest+1, number-liveSpans+1); n <= number; n++ {
			l.spans[n%liveSpans] = LiveSpan{}
		}
		l.Newest = number
	}
	if number <= l.Newest-liveSpans || number < 0 {
		return
	}
	s := &l.spans[number%liveSpans]
	s.Coupons++
	s.HR += g.HR
	s.NDCG += g.NDCG
}

// Over adds up the grades of the last span of time before the newest coupon, a day at
// most, to five minutes.
func (l *Live) Over(window time.Duration) (sum LiveSpan) {
	if l.spans == nil {
		return sum
	}
	for n := range min(int64(window/liveSpan), liveSpans) {
		if number := l.Newest - n; number >= 0 {
			s := &l.spans[number%liveSpans]
			sum.Coupons += s.Coupons
			sum.HR += s.HR
			sum.NDCG += s.NDCG
		}
	}
	return sum
}

func writeLive(w *wire.Writer, l *Live) {
	w.Int(l.Newest)
	w.Uint(uint64(len(l.spans)))
	for i := range l.spans {
		s := &l.spans[i]
		w.Uint(s.Coupons)
		if s.Coupons > 0 {
			w.Float(s.HR)
			w.Float(s.NDCG)
		}
	}
}

func readLive(r *wire.Reader) Live {
	l := Live{Newest: r.Int()}
	n := r.Count(1)
	if n != 0 && n != int(liveSpans) || l.Newest < 0 {
		r.Require(false)
		return l
	}
	for range n {
		s := LiveSpan{Coupons: r.Uint()}
		if s.Coupons > 0 {
			s.HR, s.NDCG = r.Float(), r.Float()
		}
		l.spans = append(l.spans, s)
	}
	return l
}
