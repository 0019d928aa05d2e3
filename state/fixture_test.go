package state

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tipoff"
)

func event(id, league string, begin time.Time) tipoff.Event {
	return tipoff.Event{
		ID: id, Sport: "Football", League: league, Country: "USA", Begin: begin, End: begin.Add(2 * time.Hour),
		Participants: []string{"Home " + id, "Away " + id}, Status: tipoff.StatusOpen,
	}
}

func leg(offset int64, index int, partition int32, history ...uint64) *Leg {
	return &Leg{
		Cause:  Cause{Partition: partition, Position: at(offset), Index: index},
		UserID: "u", EventID: "e", Coupon: uint64(offset), At: noon.Unix(), Odds: 2, Market: "1x2", Outcome: "1", History: history,
	}
}

func TestFixture_CountsALegOnce(t *testing.T) {
	var f Fixture
	deliveries := []*Leg{leg(1, 0, 0), leg(1, 1, 0), leg(5, 0, 0), leg(1, 0, 1), leg(1, 0, 0), leg(1, 1, 0), leg(5, 0, 0), leg(1, 0, 1), leg(6, 0, 0)}
	for _, l := range deliveries {
		f.Count(l)
	}
	if f.LegCount != 5 || f.Outcomes[0].Bets != 5 || !near(f.Popularity.Sum, 5) {
		t.Errorf("legs = %d, outcomes = %v, popularity = %v; want 5 of each", f.LegCount, f.Outcomes, f.Popularity)
	}
}

func TestFixture_ANewLifeOfTheTopicBeginsAtZeroAgain(t *testing.T) {
	var f Fixture
	f.Count(leg(100, 0, 0))
	again := leg(0, 0, 0)
	again.Source = 8
	f.Count(again)
	if f.LegCount != 2 {
		t.Errorf("legs = %d, want 2", f.LegCount)
	}
}

func TestFixture_TheNewestPostWinsAndChangesStay(t *testing.T) {
	var f Fixture
	f.Change(tipoff.EventPatch{Status: tipoff.StatusSuspended}, at(1))
	f.Change(tipoff.EventPatch{Result: "1:0"}, at(2))
	f.Post(event("e", "A", noon), at(3))
	if f.Event.Status != tipoff.StatusSuspended || f.Event.Result != "1:0" || f.First != at(3) {
		t.Errorf("changes that waited are not in the event: %+v", f.Event)
	}
	f.Post(event("e", "B", noon), at(4))
	if f.Event.League != "B" || f.Event.Status != tipoff.StatusOpen || f.Event.Result != "1:0" {
		t.Errorf("a newer post did not set what it names, and that alone: %+v", f.Event)
	}
	f.Change(tipoff.EventPatch{Status: tipoff.StatusFinished, Begin: noon.Add(24 * time.Hour)}, at(5))
	if f.Event.Status != tipoff.StatusFinished || !f.Event.End.Equal(noon.Add(24*time.Hour)) {
		t.Errorf("a change is not in the event: %+v", f.Event)
	}
	if f.Post(event("e", "C", noon), at(4)) || f.Change(tipoff.EventPatch{Result: "x"}, at(2)) || f.Event.League != "B" {
		t.Error("an older record undid a newer one")
	}
}

func TestFixture_KeepsTheHeaviestNeighbours(t *testing.T) {
	var f Fixture
	offset := int64(0)
	for i := range 10 * MaxNeighbours {
		f.Count(leg(offset, 0, 0, 42, uint64(1000+i)))
		offset++
	}
	if len(f.Neighbours) != MaxNeighbours || f.Neighbours[0].Event != 42 || f.Neighbours[0].Weight != 10*MaxNeighbours*PairUnit {
		t.Errorf("%d neighbours, the first is %+v", len(f.Neighbours), f.Neighbours[0])
	}
}

func TestFixture_ComesThroughTheTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f Fixture
		for i := range rapid.IntRange(0, 50).Draw(t, "legs") {
			l := leg(int64(i), rapid.IntRange(0, 2).Draw(t, "index"), int32(rapid.IntRange(0, 3).Draw(t, "partition")), uint64(i), uint64(i%3))
			l.Outcome = fmt.Sprint(i % 20)
			f.Count(l)
		}
		if rapid.Bool().Draw(t, "changed") {
			f.Change(tipoff.EventPatch{ID: "e", Status: tipoff.StatusSuspended, Begin: noon, Markets: []tipoff.Market{}}, at(1))
		}
		if rapid.Bool().Draw(t, "posted") {
			e := event("e", "l", noon)
			e.Extra = []byte(`{"a":1}`)
			e.Markets = []tipoff.Market{{Market: "1x2", Outcomes: []tipoff.Outcome{{Outcome: "1", Odds: 1.5}}}}
			f.Post(e, at(2))
		}
		again, err := UnmarshalFixture(f.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f, *again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

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
