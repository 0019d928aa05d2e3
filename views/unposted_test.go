package views

import (
	"fmt"
	"testing"
	"time"

	"tipoff"
	"tipoff/state"
)

// betOn returns the table values of a bettor in France with one coupon on the events, none of
// which is posted, and of the events' fixtures.
func betOn(events ...string) (bettor []byte, fixtures map[string]*state.Fixture) {
	b := &state.Bettor{Known: true, User: tipoff.User{ID: "u", Country: "FR"}}
	c := tipoff.Coupon{ID: "c", UserID: "u", Stake: 1, Timestamp: noon}
	for _, event := range events {
		c.Selections = append(c.Selections, tipoff.Selection{EventID: event, Odds: 2})
	}
	at := state.Position{Source: 1, Offset: 1}
	b.AddCoupon(&c, at, state.CauseAt(at), noon.Unix())
	fixtures = map[string]*state.Fixture{}
	for _, leg := range b.LegsOf(&c, state.Cause{Position: at}, noon.Unix()) {
		f := new(state.Fixture)
		f.Count(&leg)
		fixtures[leg.EventID] = f
	}
	return b.Marshal(), fixtures
}

func TestViews_HoldNothingOfEventsThatNobodyPosted(t *testing.T) {
	for _, v := range []*Views{New(), NewLearning()} {
		var events []string
		for i := range 50 {
			events = append(events, fmt.Sprint("never", i))
		}
		b, fixtures := betOn(events...)
		put(t, v.PutBettor("default/u", b))
		for event, f := range fixtures {
			put(t, v.PutFixture("default/"+event, f.Marshal(), noon))
		}
		if size := v.Sizes()[0]; size.Fixtures != 0 || size.Bettors != 1 {
			t.Errorf("in memory: %+v", size)
		}
		if n := len(v.company("default").fixtures); n != 0 {
			t.Errorf("%d decoded fixtures are kept to learn on", n)
		}
	}
}

func TestViews_HaveAllOfAnEventOnceItIsPosted(t *testing.T) {
	v := New()
	b, fixtures := betOn("late")
	f := fixtures["late"]
	put(t, v.PutBettor("default/u", b), v.PutFixture("default/late", f.Marshal(), noon))
	f.Post(tipoff.Event{ID: "late", Sport: "Tennis", League: "A", Country: "FR", Begin: noon.Add(time.Hour), End: noon.Add(2 * time.Hour),
		Status: tipoff.StatusOpen}, state.Position{Source: 1, Offset: 1})
	put(t, v.PutFixture("default/late", f.Marshal(), noon))
	popular := v.Popular("default", "", "", 10, noon)
	if len(popular) != 1 || popular[0].Event.ID != "late" || popular[0].Bets != 1 {
		t.Errorf("popular: %+v", popular)
	}
}
