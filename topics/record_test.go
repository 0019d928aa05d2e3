package topics

import (
	"reflect"
	"testing"
	"time"

	"tipoff"
)

var (
	now   = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	loose = tipoff.Reading{Now: now}
)

func TestRecord_FactsReadBackAsTheyWere(t *testing.T) {
	e, err := tipoff.DecodeEvent([]byte(`{"event_id":"e1","country":"SE","league":"Allsvenskan","participants":["A","B"],"sport":"Football",
		"begin_timestamp":"2026-05-17T18:00:00Z","end_timestamp":"2026-05-17T20:00:00Z",
		"markets":[{"market":"1x2","outcomes":[{"outcome":"1","odds":1.85}]}],"extra":{"a":[1,2.50,"x"]}}`), tipoff.Reading{Now: now, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	r := EventRecord("default", e, now)
	if again, err := tipoff.DecodeEvent(r.Value, loose); err != nil || !reflect.DeepEqual(again, e) {
		t.Errorf("%s read back is %+v, %v; want %+v", r.Value, again, err, e)
	}
	if IsPatch(r.Value) {
		t.Error("an event was taken for a patch")
	}
	p := tipoff.EventPatch{ID: "e1", Status: tipoff.StatusFinished, Result: "2:1", Begin: now}
	pr := PatchRecord("default", p, now)
	again, err := tipoff.DecodeEventPatch(pr.Value, "e1", loose)
	p.Patch = true
	if err != nil || !reflect.DeepEqual(again, p) || !IsPatch(pr.Value) {
		t.Errorf("%s read back is %+v, %v; want %+v", pr.Value, again, err, p)
	}
}

func TestFactRecord_IsThatOfTheFactsKind(t *testing.T) {
	u, e := tipoff.User{ID: "u1"}, tipoff.Event{ID: "e1"}
	p, c := tipoff.EventPatch{ID: "e1"}, tipoff.Coupon{ID: "c1", UserID: "u1"}
	for _, one := range []struct {
		fact tipoff.Fact
		want Record
	}{
		{tipoff.Fact{At: now, User: &u}, UserRecord("x", u, now)}, {tipoff.Fact{At: now, Event: &e}, EventRecord("x", e, now)},
		{tipoff.Fact{At: now, Patch: &p}, PatchRecord("x", p, now)}, {tipoff.Fact{At: now, Coupon: &c}, CouponRecord("x", c, now)},
	} {
		if got := FactRecord("x", one.fact); !reflect.DeepEqual(got, one.want) || got.Key != Key("x", one.fact.Owner()) {
			t.Errorf("record of %s is %+v, want %+v", one.fact.ID(), got, one.want)
		}
	}
}
