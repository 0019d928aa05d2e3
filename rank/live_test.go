package rank

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tipoff"
)

func TestLive_CountsTheLastHourAndDayByTheCouponsClock(t *testing.T) {
	var l Live
	begin := noon.Unix()
	add := func(minutes int, hr float64) {
		l.Add(Grade{Targets: 1, HR: hr, NDCG: hr / 2}, begin+int64(minutes)*60)
	}
	for _, step := range []struct {
		minutes   int
		hr        float64
		hour, day uint64
		dayHR     float64
	}{
		{0, 1, 1, 1, 1},
		{30, 0, 2, 2, 1},
		{70, 1, 2, 3, 2},       // the first is an hour old
		{20, 1, 3, 4, 3},       // late, of the last hour all the same
		{23 * 60, 1, 1, 5, 4},  //
		{25 * 60, 0, 1, 3, 2},  // a day after 70, 23 h and itself
		{-30, 1, 1, 3, 2},      // too late to count
		{99 * 60, 1, 1, 1, 1},  // after more than a day of silence
		{400 * 60, 0, 1, 1, 0}, //
	} {
		add(step.minutes, step.hr)
		hour, day := l.Over(time.Hour), l.Over(24*time.Hour)
		if hour.Coupons != step.hour || day.Coupons != step.day || day.HR != step.dayHR || day.NDCG != step.dayHR/2 {
			t.Errorf("after minute %d: hour %+v, day %+v; want %d and %d with %v hits", step.minutes, hour, day, step.hour, step.day, step.dayHR)
		}
	}
	l.Add(Grade{}, begin+400*3600)
	if l.Over(time.Hour).Coupons != 1 {
		t.Error("a coupon without targets was counted")
	}
}

func TestGrade_IsThatOfThePlace(t *testing.T) {
	w := newWorld()
	for i := range 30 {
		w.post(event(fmt.Sprint("e", i), "A", noon.Add(time.Hour)))
		for k := range 30 - i {
			w.bet(fmt.Sprint("fan", k), noon, fmt.Sprint("e", i))
		}
	}
	q := &Question{Now: noon.Add(time.Minute), Ranker: RankerPopular}
	for place, want := range map[int]Grade{0: {1, 1, 1, 1, 1}, 2: {1, 1, 0.5, 1, 0.5}, 9: {1, 1, 0.2890648263, 1, 0.2890648263}, 10: {Targets: 1}} {
		got := w.index.GradeOf(q, []uint64{tipoff.EventRef(fmt.Sprint("e", place)), tipoff.EventRef("unknown")}, new(Scratch))
		if got.Targets != want.Targets || got.HR != want.HR || !near(got.NDCG, want.NDCG) || got.PopularHR != want.PopularHR || !near(got.PopularNDCG, want.PopularNDCG) {
			t.Errorf("place %d: %+v, want %+v", place, got, want)
		}
	}
	begun := &Question{Now: noon.Add(2 * time.Hour)}
	if got := w.index.GradeOf(begun, []uint64{tipoff.EventRef("e0")}, new(Scratch)); got != (Grade{}) {
		t.Errorf("of an event that has begun: %+v", got)
	}
}

// TestGradeOf_GradesPopularityAsItsRankerIs, of the candidates that there are already.
func TestGradeOf_GradesPopularityAsItsRankerIs(t *testing.T) {
	big, model := bigWorld(1000)
	compared := 0
	for seed := range uint64(40) {
		w := randomWorld(seed, 200)
		if seed%10 == 0 {
			w = big
		}
		for i := range 20 {
			q := &Question{Query: tipoff.Query{UserID: fmt.Sprint("u", i), N: 10}, Now: noon.Add(time.Minute), Model: model}
			events := []uint64{tipoff.EventRef(fmt.Sprint("e", i)), tipoff.EventRef(fmt.Sprint("e", i*3)), tipoff.EventRef(fmt.Sprint("e", i+7))}
			learnt := w.index.GradeOf(q, events, new(Scratch))
			q.Ranker = RankerPopular
			popular := w.index.GradeOf(q, events, new(Scratch))
			if learnt.PopularHR != popular.HR || !near(learnt.PopularNDCG, popular.NDCG) || popular.PopularHR != popular.HR {
				t.Errorf("world %d, u%d: graded %+v, as its ranker %+v", seed, i, learnt, popular)
			}
			if popular.HR > 0 && learnt.NDCG != popular.NDCG {
				compared++
			}
		}
	}
	if compared == 0 {
		t.Error("the learnt ranking and the popular one are one")
	}
}

func TestLiveSpan_TheBandHoldsTheMeanInMostCases(t *testing.T) {
	r, missed := rand.New(rand.NewPCG(3, 3)), 0
	for range 2000 {
		var l Live
		for range 100 {
			l.Add(Grade{Targets: 1, NDCG: r.Float64()}, noon.Unix())
		}
		sum := l.Over(time.Hour)
		if low, high := sum.Band(); low > 0.5 || high < 0.5 {
			missed++
		}
	}
	if missed < 50 || missed > 160 {
		t.Errorf("the band misses the mean in %d of 2,000 cases, want about 100", missed)
	}
	one := LiveSpan{Coupons: 1, Compared: 1, NDCG: 0.5, Squares: 0.25}
	if low, high := one.Band(); low != 0 || high != 1 {
		t.Errorf("one coupon puts the mean between %v and %v", low, high)
	}
}
