package state

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tipoff"
)

// traitsOf are those of an event of the tests, which its number decides.
func traitsOf(i int) Traits {
	return TraitsOf(&tipoff.Event{
		ID: fmt.Sprint("e", i), Sport: fmt.Sprint("s", i%3), League: fmt.Sprint("l", i%5), Participants: []string{fmt.Sprint("t", i), fmt.Sprint("t", i+1)},
		Begin: noon.AddDate(1, 0, 0),
	})
}

// TestBettor_BeforeIsWhatWas: whatever came after a coupon, in whatever order of time,
// where no list is full.
func TestBettor_BeforeIsWhatWas(t *testing.T) {
	const events = 12 // of 24 teams
	traits := map[uint64]Traits{}
	for i := range events {
		traits[traitsOf(i).Event] = traitsOf(i)
	}
	rapid.Check(t, func(t *rapid.T) {
		b, now := &Bettor{Known: true, User: tipoff.User{ID: "u", Country: "USA"}}, noon.AddDate(0, 2, 0).Unix()
		var was []*Bettor
		var choices []*Choice
		var legs [][]Leg
		for i := range int64(rapid.IntRange(1, 10).Draw(t, "coupons")) {
			snapshot, err := UnmarshalBettor(b.Marshal())
			if err != nil {
				t.Fatal(err)
			}
			c := bet(fmt.Sprint("c", i), noon.Add(time.Duration(rapid.IntRange(0, 60*24).Draw(t, "hours"))*time.Hour))
			for _, e := range rapid.SliceOfNDistinct(rapid.IntRange(0, events-1), 1, 3, rapid.ID[int]).Draw(t, "events") {
				c.Selections = append(c.Selections, tipoff.Selection{EventID: fmt.Sprint("e", e), Odds: 2})
			}
			b.AddCoupon(c, at(i), CauseAt(at(i)), now)
			sent := b.LegsOf(c, CauseAt(at(i)), now)
			was, choices, legs = append(was, snapshot), append(choices, NewChoice(sent)), append(legs, sent)
			for j := range sent {
				b.Apply(Resolve(&sent[j], traits[choices[i].Events[j]]), now)
			}
		}
		whole := b.Marshal()
		for i, c := range choices {
			for _, holds := range []*Bettor{b, was[i]} {
				wantSame(t, was[i], holds.Before(c, func(event uint64) Traits { return traits[event] }))
				for j, leg := range c.Legs(holds) {
					if leg.Cause != legs[i][j].Cause || leg.At != legs[i][j].At || !slices.Equal(leg.History, legs[i][j].History) {
						t.Errorf("leg %+v, want %+v", leg, legs[i][j])
					}
				}
			}
		}
		if !slices.Equal(whole, b.Marshal()) {
			t.Error("to ask what was before changes the bettor")
		}
	})
}

// wantSame compares two states of a bettor as far as ranking sees them: their sums may be as
// of different moments.
func wantSame(t *rapid.T, want, got *Bettor) {
	t.Helper()
	at := max(want.At, got.At)
	as := func(b *Bettor) map[string]float64 {
		fade, sums := Decay(at-b.At, TasteHalfLife), map[string]float64{"legs": float64(b.LegCount), "all": b.Weight * Decay(at-b.At, TasteHalfLife)}
		for kind, list := range [][]Affinity{b.Sports, b.Leagues, b.Teams} {
			for _, a := range list {
				sums[fmt.Sprint(kind, " ", a.Key)] = a.Weight * fade
			}
		}
		return sums
	}
	if diff := cmp.Diff(as(want), as(got), cmpopts.EquateApprox(1e-6, 0)); diff != "" {
		t.Errorf("sums: %s", diff)
	}
	if diff := cmp.Diff(want.Bets, got.Bets, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("bets: %s", diff)
	}
	if diff := cmp.Diff(want.User, got.User); diff != "" || want.Known != got.Known {
		t.Errorf("user: %s", diff)
	}
}
