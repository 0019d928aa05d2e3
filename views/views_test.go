package views

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

func fixture(id, league string, begin time.Time) []byte {
	var f state.Fixture
	f.Post(tipoff.Event{
		ID: id, Sport: "Tennis", League: league, Country: "USA", Begin: begin, End: begin.Add(time.Hour), Participants: []string{}, Status: tipoff.StatusOpen,
	}, state.Position{Source: 1, Offset: 1})
	return f.Marshal()
}

func bettor(league string, events ...string) []byte {
	var b state.Bettor
	for i, event := range events {
		c := tipoff.Coupon{ID: event, UserID: "u", Stake: 1, Timestamp: noon, Selections: []tipoff.Selection{{EventID: event, Odds: 2}}}
		at := state.Position{Source: 1, Offset: int64(i)}
		b.AddCoupon(&c, at, state.CauseAt(at), noon.Unix())
		for _, leg := range b.LegsOf(&c, state.Cause{Position: at}, noon.Unix()) {
			b.Apply(state.Resolve(&leg, state.TraitsOf(&tipoff.Event{ID: event, Sport: "Tennis", League: league, Begin: noon.Add(time.Hour)})), noon.Unix())
		}
	}
	return b.Marshal()
}

func put(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestRecommend_SeesEachChangeAtOnce(t *testing.T) {
	v := New()
	ask := func() tipoff.Recommendation { return v.Recommend("default", tipoff.Query{UserID: "u", N: 10}, noon) }
	if r := ask(); len(r.Items) != 0 || r.EmptyBecause != EmptyNoEvents || !r.ColdStart {
		t.Errorf("nothing there: %+v", r)
	}
	for i := range 4 {
		put(t, v.PutFixture(fmt.Sprint("default/a", i), fixture(fmt.Sprint("a", i), "A", noon.Add(time.Hour)), noon),
			v.PutFixture(fmt.Sprint("default/b", i), fixture(fmt.Sprint("b", i), "B", noon.Add(time.Hour)), noon))
	}
	put(t, v.PutBettor("default/v", bettor("A", "a1", "a2")))
	if r := ask(); len(r.Items) != 8 || !r.ColdStart {
		t.Errorf("a stranger: %d items, cold %v", len(r.Items), r.ColdStart)
	}
	put(t, v.PutBettor("default/u", bettor("B", "b0", "b1")))
	r := ask()
	if len(r.Items) != 6 || r.ColdStart || r.Items[0].Event.League != "B" || r.Items[1].Event.League != "B" {
		t.Errorf("after bets on B: %+v", r)
	}
	put(t, v.PutFixture("default/b2", nil, noon))
	if r := ask(); r.Items[0].Event.ID != "b3" {
		t.Errorf("an erased event is shown: %+v", r.Items[0])
	}
	if r := v.Recommend("default", tipoff.Query{UserID: "u", N: 10, Sport: "Golf"}, noon); r.EmptyBecause != EmptyFilters || r.Items == nil {
		t.Errorf("nothing passes: %+v", r)
	}
}

func TestCompanies_NeverSeeEachOther(t *testing.T) {
	v := New()
	put(t, v.PutFixture("one/e", fixture("e", "A", noon.Add(time.Hour)), noon), v.PutBettor("one/u", bettor("A", "e")))
	if r := v.Recommend("two", tipoff.Query{UserID: "u", N: 10}, noon); len(r.Items) != 0 {
		t.Errorf("recommended %+v", r.Items)
	}
	if _, known := v.Event("two", "e"); known {
		t.Error("another company's event is known")
	}
	if _, known := v.Affinities("two", "u", noon); known {
		t.Error("another company's user is known")
	}
	if events, _, _ := v.OpenEvents("two", tipoff.EventFilter{N: 10}, noon); len(events) != 0 {
		t.Errorf("events %+v", events)
	}
	if popular := v.Popular("two", "", "", 10, noon); len(popular) != 0 {
		t.Errorf("popular %+v", popular)
	}
}

func TestPut_RefusesWhatItCannotReadAndKeepsTheRest(t *testing.T) {
	v := New()
	put(t, v.PutFixture("default/e", fixture("e", "A", noon.Add(time.Hour)), noon), v.PutBettor("default/u", bettor("A", "e")))
	for _, err := range []error{
		v.PutFixture("default/e", []byte{99}, noon), v.PutBettor("default/u", []byte("x")), v.PutFixture("no slash", nil, noon), v.PutBettor("/", nil),
	} {
		if err == nil {
			t.Error("a value that cannot be read was taken")
		}
	}
	put(t, v.PutFixture(topics.PartKey("default/e", "0"), []byte{99}, noon)) // a chunk is none of ours
	if _, known := v.Event("default", "e"); !known {
		t.Error("the event is lost")
	}
	if a, known := v.Affinities("default", "u", noon); !known || a.Bets != 1 || a.UserID != "u" {
		t.Errorf("affinities = %+v, %v", a, known)
	}
	if _, known := v.User("default", "u"); known {
		t.Error("a user who was never posted has a profile")
	}
}

func TestOpenEvents_PagesInOrder(t *testing.T) {
	v := New()
	for i := range 25 {
		put(t, v.PutFixture(fmt.Sprint("default/e", i), fixture(fmt.Sprintf("e%02d", i), []string{"A", "B"}[i%2], noon.Add(time.Duration(i/2)*time.Hour)), noon.Add(-time.Hour)))
	}
	var got []string
	f := tipoff.EventFilter{N: 10}
	for pages := 0; pages == 0 || f.Cursor != ""; pages++ {
		events, cursor, err := v.OpenEvents("default", f, noon)
		if err != nil || pages > 3 {
			t.Fatal(err)
		}
		for _, e := range events {
			got = append(got, e.ID)
		}
		f.Cursor = cursor
	}
	if len(got) != 23 || got[0] != "e02" || got[22] != "e24" { // two have begun
		t.Errorf("events %v", got)
	}
	if events, _, _ := v.OpenEvents("default", tipoff.EventFilter{N: 50, League: "a", From: noon.Add(2 * time.Hour), Until: noon.Add(5 * time.Hour)}, noon); len(events) != 3 {
		t.Errorf("%d events pass the filter", len(events))
	}
	if _, _, err := v.OpenEvents("default", tipoff.EventFilter{N: 1, Cursor: "x"}, noon); err == nil {
		t.Error("a broken cursor was taken")
	}
}

func TestViews_ReadWhileTheyAreWritten(t *testing.T) {
	v := New()
	ctx, cancel := context.WithCancel(t.Context())
	var writers, readers sync.WaitGroup
	writers.Go(func() { _ = v.Tend(ctx) })
	for w := range 2 {
		writers.Go(func() {
			for i := range 500 {
				id := fmt.Sprintf("e%d-%d", w, i%50)
				put(t, v.PutFixture("default/"+id, fixture(id, "A", noon.Add(time.Duration(i)*time.Minute)), noon), v.PutBettor("default/u", bettor("A", id)))
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for range 300 {
				for _, item := range v.Recommend("default", tipoff.Query{UserID: "u", N: 10, Diversity: 0.2}, noon).Items {
					if !item.Event.Open(noon) {
						t.Errorf("%+v is not open", item.Event)
					}
				}
				v.Affinities("default", "u", noon)
				v.Popular("default", "", "", 5, noon)
				v.Sizes()
			}
		})
	}
	readers.Wait()
	cancel()
	writers.Wait()
}

func TestRecommend_OtherCompaniesChangeNothing(t *testing.T) {
	alone, beside := New(), New()
	for _, v := range []*Views{alone, beside} {
		for i := range 6 {
			put(t, v.PutFixture(fmt.Sprint("default/a", i), fixture(fmt.Sprint("a", i), "A", noon.Add(time.Hour)), noon),
				v.PutFixture(fmt.Sprint("default/b", i), fixture(fmt.Sprint("b", i), "B", noon.Add(time.Hour)), noon))
		}
		put(t, v.PutBettor("default/u", bettor("B", "b0")), v.PutBettor("default/v", bettor("A", "a1", "a2")))
	}
	for i := range 50 { // a large company, where all like the same
		put(t, beside.PutFixture(fmt.Sprint("large/a", i), fixture(fmt.Sprint("a", i), "A", noon.Add(time.Hour)), noon),
			beside.PutBettor(fmt.Sprint("large/u", i), bettor("A", "a0", "a1", "a2", "a3")))
	}
	q := tipoff.Query{UserID: "u", N: 10, Diversity: 0.1}
	if a, b := alone.Recommend("default", q, noon), beside.Recommend("default", q, noon); len(a.Items) != 10 || !slices.EqualFunc(a.Items, b.Items, sameItem) {
		t.Errorf("alone %+v, beside a large company %+v", a, b)
	}
}

func TestRecommend_FollowedIsWhatIsPopularWhereNothingIsFollowed(t *testing.T) {
	v := New()
	put(t, v.PutFixture("default/a", fixture("a", "A", noon.Add(time.Hour)), noon))
	for _, user := range []string{"u", "never heard of"} { // u bet on an event that nobody has posted
		if user == "u" {
			var b state.Bettor
			c := tipoff.Coupon{ID: "c", UserID: "u", Stake: 1, Timestamp: noon, Selections: []tipoff.Selection{{EventID: "unknown", Odds: 2}}}
			at := state.Position{Source: 1}
			b.AddCoupon(&c, at, state.CauseAt(at), noon.Unix())
			put(t, v.PutBettor("default/u", b.Marshal()))
		}
		if r := v.Recommend("default", tipoff.Query{UserID: user, N: 3, Followed: true}, noon); len(r.Items) != 1 {
			t.Errorf("%s: %+v", user, r)
		}
	}
}

func sameItem(a, b tipoff.Item) bool {
	return a.Event.Equal(b.Event) && a.Score == b.Score && a.Reason == b.Reason
}

// TestPutBettor_KeepsNothingOfAValueOrOfOthers: values are read into the memory of others.
func TestPutBettor_KeepsNothingOfAValueOrOfOthers(t *testing.T) {
	posted, _ := betOn("e0", "e1", "e2")
	values := map[string][]byte{"a": bettor("A", "e0", "e1", "e2"), "b": bettor("B", "e4"), "c": posted, "d": new(state.Bettor).Marshal()}
	withEvents := func(v *Views) *Views {
		for i := range 6 {
			put(t, v.PutFixture(fmt.Sprint("default/e", i), fixture(fmt.Sprint("e", i), []string{"A", "B"}[i%2], noon.Add(time.Hour)), noon))
		}
		return v
	}
	for _, create := range []func() *Views{New, NewLearning} {
		v := withEvents(create())
		for range 3 {
			for _, id := range []string{"a", "b", "c", "d", "b", "c", "a"} {
				value := bytes.Clone(values[id])
				put(t, v.PutBettor("default/"+id, value))
				clear(value)
				if v.PutBettor("default/"+id, values["a"][:40]) == nil {
					t.Fatal("half a value was read")
				}
			}
		}
		for id := range values {
			alone := withEvents(create())
			put(t, alone.PutBettor("default/"+id, values[id]))
			user, isPosted := v.User("default", id)
			wantUser, wantPosted := alone.User("default", id)
			got, _ := v.Affinities("default", id, noon)
			want, _ := alone.Affinities("default", id, noon)
			if diff := cmp.Diff(wantUser, user) + cmp.Diff(want, got); diff != "" || isPosted != wantPosted {
				t.Errorf("%s: %s", id, diff)
			}
			q := tipoff.Query{UserID: id, N: 10, Fresh: true}
			if got, want := len(v.Recommend("default", q, noon).Items), len(alone.Recommend("default", q, noon).Items); got != want {
				t.Errorf("%s is recommended %d events, alone %d", id, got, want)
			}
		}
	}
}
