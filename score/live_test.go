package score

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tipoff"
)

func TestFixture_WithoutALegIsAsBeforeIt(t *testing.T) {
	var before Fixture
	before.Post(event("e", "A", noon.Add(time.Hour)), at(1))
	before.Count(leg(1, 0, 0, 11, 12))
	after, err := UnmarshalFixture(before.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	late := leg(2, 0, 0, 12, 13)
	late.At += 600
	if got := after.Without(late); got != after {
		t.Error("a leg that was not counted was taken out")
	}
	after.Count(late)
	stands := after.Marshal()
	got := after.Without(late)
	now := late.At + 60
	for i := range PaceCount {
		if a, b := got.Paces[i].Value(now, PaceHalfLives[i]), before.Paces[i].Value(now, PaceHalfLives[i]); !near(a, b) {
			t.Errorf("pace %d is %v, before it was %v", i, a, b)
		}
	}
	if a, b := got.Popularity.Value(now, PopularityHalfLife), before.Popularity.Value(now, PopularityHalfLife); !near(a, b) {
		t.Errorf("popularity is %v, before it was %v", a, b)
	}
	ignored := cmpopts.IgnoreFields(Fixture{}, "Popularity", "Paces", "Applied", "Outcomes")
	if d := cmp.Diff(&before, got, ignored, cmpopts.SortSlices(func(a, b Neighbour) bool { return a.Event < b.Event })); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(stands, after.Marshal()); d != "" {
		t.Error("the fixture itself has changed")
	}
	if first := got.Without(leg(1, 0, 0, 11, 12)); first.LegCount != 0 || first.FirstBet != 0 || len(first.Neighbours) != 0 {
		t.Errorf("without its only leg it is %+v", first)
	}
}

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
	for place, want := range map[int]Grade{0: {1, 1, 1}, 2: {1, 1, 0.5}, 9: {1, 1, 0.2890648263}, 10: {1, 0, 0}} {
		got := w.index.GradeOf(q, []uint64{tipoff.EventRef(fmt.Sprint("e", place)), tipoff.EventRef("unknown")}, new(Scratch))
		if got.Targets != want.Targets || got.HR != want.HR || !near(got.NDCG, want.NDCG) {
			t.Errorf("place %d: %+v, want %+v", place, got, want)
		}
	}
	begun := &Question{Now: noon.Add(2 * time.Hour)}
	if got := w.index.GradeOf(begun, []uint64{tipoff.EventRef("e0")}, new(Scratch)); got != (Grade{}) {
		t.Errorf("of an event that has begun: %+v", got)
	}
}
