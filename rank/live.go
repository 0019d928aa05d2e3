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
	// The same of a ranking by popularity.
	PopularHR, PopularNDCG float64
}

// GradeOf ranks for the question and compares the list with the events of the
// coupon that was made then, and the same candidates by popularity. The question's length
// is set to [GradeDepth].
func (x *Index) GradeOf(q *Question, events []uint64, s *Scratch) (g Grade) {
	asked := *q
	asked.N = GradeDepth
	top := x.Rank(&asked, s)
	s.reset(len(x.categories), len(x.entries))
	r := &s.ranking
	r.begin(x, &asked, s)
	r.scorePopularity()
	best := 0.0
	for i, event := range events {
		slot, known := x.slots[event]
		if !known || slices.Contains(events[:i], event) || !r.admits(slot) {
			continue
		}
		if g.Targets < GradeDepth {
			best += gainAt(g.Targets)
		}
		g.Targets++
		rank := slices.IndexFunc(top, func(ranked tipoff.Item) bool { return tipoff.EventRef(ranked.Event.ID) == event })
		if rank >= 0 {
			g.HR = 1
			g.NDCG += gainAt(rank)
		}
		if rank, isAmong := r.placeByPopularity(slot); isAmong && rank < GradeDepth {
			g.PopularHR = 1
			g.PopularNDCG += gainAt(rank)
		}
	}
	if g.Targets > 0 {
		g.NDCG /= best
		g.PopularNDCG /= best
	}
	return g
}

// gainAt is what a target at a place adds to the NDCG, from place 0 on.
func gainAt(place int) float64 { return 1 / math.Log2(float64(place)+2) }

// scorePopularity scores the candidates of the ranking before this one as [RankerPopular]
// does, into quick.
func (r *ranking) scorePopularity() {
	w := plainWeights(rankerByPopularity, r.cold)
	r.quick = slices.Grow(r.quick[:0], len(r.picked))[:len(r.picked)]
	for i, slot := range r.picked {
		e := &r.entries[slot]
		q := quick{slot: slot, score: w[termPop6h] * r.timed.bets(e, termPop6h-termPop5m)}
		if w[termHome] != 0 && r.from != 0 {
			q.score += w[termHome] * r.homeTerm(slot)
		}
		r.quick[i] = q
	}
}

// placeByPopularity is where a candidate stands by the scores of
// [ranking.scorePopularity], from 0 on; false: it is no candidate.
func (r *ranking) placeByPopularity(slot int32) (place int, isAmong bool) {
	i := slices.IndexFunc(r.quick, func(q quick) bool { return q.slot == slot })
	if i < 0 {
		return 0, false
	}
	own := &r.quick[i]
	for k := range r.quick {
		if r.compare(r.quick[k], *own) < 0 {
			place++
		}
	}
	return place, true
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
	// Of the coupons for which popularity was graded too; former versions did not.
	Compared               uint64
	Squares                float64 // of NDCG
	PopularHR, PopularNDCG float64
}

func (s *LiveSpan) add(o *LiveSpan) {
	s.Coupons += o.Coupons
	s.HR += o.HR
	s.NDCG += o.NDCG
	s.Compared += o.Compared
	s.Squares += o.Squares
	s.PopularHR += o.PopularHR
	s.PopularNDCG += o.PopularNDCG
}

// Band is where the mean NDCG lies in 95 of 100 cases, as far as the coupons tell of
// others like them; all of 0..1 where they are too few, or some were graded before squares
// were added up.
func (s *LiveSpan) Band() (low, high float64) {
	if s.Compared < 2 || s.Compared < s.Coupons {
		return 0, 1
	}
	n, mean := float64(s.Compared), s.NDCG/float64(s.Coupons)
	variance := max(0, s.Squares/n-mean*mean) * n / (n - 1)
	half := 1.96 * math.Sqrt(variance/n)
	return max(0, mean-half), min(1, mean+half)
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
	l.spans[number%liveSpans].add(&LiveSpan{
		Coupons: 1, HR: g.HR, NDCG: g.NDCG, Compared: 1, Squares: g.NDCG * g.NDCG, PopularHR: g.PopularHR, PopularNDCG: g.PopularNDCG,
	})
}

// Each visits the spans of the last day in which there were coupons, oldest first, with
// when each begins.
func (l *Live) Each(visit func(from time.Time, s *LiveSpan)) {
	if l.spans == nil {
		return
	}
	for number := max(0, l.Newest-liveSpans+1); number <= l.Newest; number++ {
		if s := &l.spans[number%liveSpans]; s.Coupons > 0 {
			visit(time.Unix(number*int64(liveSpan/time.Second), 0).UTC(), s)
		}
	}
}

// Hours visits the spans of [Live.Each] added up by the hour.
func (l *Live) Hours(visit func(from time.Time, s *LiveSpan)) {
	var hour time.Time
	var sum LiveSpan
	l.Each(func(from time.Time, s *LiveSpan) {
		if begun := from.Truncate(time.Hour); begun != hour {
			if sum.Coupons > 0 {
				visit(hour, &sum)
			}
			hour, sum = begun, LiveSpan{}
		}
		sum.add(s)
	})
	if sum.Coupons > 0 {
		visit(hour, &sum)
	}
}

// Over adds up the grades of the last span of time before the newest coupon, a day at
// most, to five minutes.
func (l *Live) Over(window time.Duration) (sum LiveSpan) {
	if l.spans == nil {
		return sum
	}
	for n := range min(int64(window/liveSpan), liveSpans) {
		if number := l.Newest - n; number >= 0 {
			sum.add(&l.spans[number%liveSpans])
		}
	}
	return sum
}

// isFinite says that every sum is a number.
func (s *LiveSpan) isFinite() bool {
	return s.HR-s.HR == 0 && s.NDCG-s.NDCG == 0 && s.Squares-s.Squares == 0 && s.PopularHR-s.PopularHR == 0 && s.PopularNDCG-s.PopularNDCG == 0
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
			w.Uint(s.Compared)
			w.Float(s.Squares)
			w.Float(s.PopularHR)
			w.Float(s.PopularNDCG)
		}
	}
}

// readLive reads the grades out of a value of a version of [state.TableVersion].
func readLive(r *wire.Reader, version byte) Live {
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
			if version > 3 {
				s.Compared, s.Squares, s.PopularHR, s.PopularNDCG = r.Uint(), r.Float(), r.Float(), r.Float()
			}
			r.Require(s.isFinite() && s.Compared <= s.Coupons)
		}
		l.spans = append(l.spans, s)
	}
	return l
}
