package processors

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

// told is a coupon's record with what the gateway knew of some of its events.
func told(r topics.Record, events ...*tipoff.Event) topics.Record {
	known := make([]state.Traits, len(events))
	for i, e := range events {
		if e != nil {
			known[i] = state.TraitsOf(e)
		}
	}
	r.Events = string(state.MarshalKnown(known))
	return r
}

// TestACouponWhoseEventsTheGatewayKnewTeachesInOneStep, and leaves what it would leave
// without that.
func TestACouponWhoseEventsTheGatewayKnewTeachesInOneStep(t *testing.T) {
	one, two := new(tipoff.Event), new(tipoff.Event)
	for id, e := range map[string]*tipoff.Event{"e1": one, "e2": two} {
		fact, err := topics.DecodeFact(topics.Events, id, event(id, "Liga").Value, tipoff.Reading{Now: noon})
		if err != nil {
			t.Fatal(err)
		}
		*e = *fact.Event
	}
	asked := newPipeline(t)
	for _, r := range []topics.Record{event("e1", "Liga"), event("e2", "Liga"), coupon("c1", "u", 10, "e1", "e2")} {
		asked.send(r)
	}
	for name, c := range map[string]struct {
		records  []topics.Record
		resolved int
	}{
		"Both":     {[]topics.Record{event("e1", "Liga"), event("e2", "Liga"), told(coupon("c1", "u", 10, "e1", "e2"), one, two)}, 0},
		"One":      {[]topics.Record{event("e1", "Liga"), event("e2", "Liga"), told(coupon("c1", "u", 10, "e1", "e2"), nil, two)}, 1},
		"Before":   {[]topics.Record{told(coupon("c1", "u", 10, "e1", "e2"), one, two), event("e1", "Liga"), event("e2", "Liga")}, 2},
		"Others":   {[]topics.Record{event("e1", "Liga"), event("e2", "Liga"), told(coupon("c1", "u", 10, "e1", "e2"), two, one)}, 2},
		"TooFew":   {[]topics.Record{event("e1", "Liga"), event("e2", "Liga"), told(coupon("c1", "u", 10, "e1", "e2"), one)}, 2},
		"Repeated": {[]topics.Record{event("e1", "Liga"), event("e2", "Liga"), told(coupon("c1", "u", 10, "e1", "e2"), one, two), told(coupon("c1", "u", 10, "e1", "e2"), one, two)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPipeline(t)
			for _, r := range c.records {
				p.send(r)
			}
			resolved := 0
			for _, _, ok := p.resolved.Next(); ok; _, _, ok = p.resolved.Next() {
				resolved++
			}
			if resolved != c.resolved {
				t.Errorf("%d messages went back, want %d", resolved, c.resolved)
			}
			got, want := p.bettor("u"), asked.bettor("u")
			got.Coupons, want.Coupons = state.Position{}, state.Position{}
			for _, b := range []*state.Bettor{got, want} {
				for i := range b.Bets {
					b.Bets[i].Record = state.Position{}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			for _, id := range []string{"e1", "e2"} {
				if f := p.fixture(id); f.LegCount != 1 || !f.Known {
					t.Errorf("%s: %+v", id, f)
				}
			}
			p.wantRejected()
		})
	}
}
