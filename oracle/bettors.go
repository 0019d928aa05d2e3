package oracle

import (
	"cmp"
	"fmt"
	"slices"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

const tasteHalfLife = 30 * 24 * 3600 // seconds

// oddsBounds are where one range of odds ends and the next begins.
var oddsBounds = []float64{1.2, 1.5, 2, 3, 5, 10}

// taste is what a bettor's weights must come to.
type taste struct {
	legs                                  uint64
	at                                    int64 // Unix seconds that the weights refer to
	weight                                float64
	sports, leagues, teams, markets, odds map[uint32]float64
}

// taste is learnt from every leg whose event is announced.
func (f *Facts) taste(user string) taste {
	t := taste{sports: map[uint32]float64{}, leagues: map[uint32]float64{}, teams: map[uint32]float64{}, markets: map[uint32]float64{}, odds: map[uint32]float64{}}
	f.eachKnownLeg(user, func(c *Coupon, _ tipoff.Selection, _ *Event) {
		if t.legs == 0 || c.Counted > t.at {
			t.at = c.Counted
		}
		t.legs++
	})
	f.eachKnownLeg(user, func(c *Coupon, leg tipoff.Selection, e *Event) {
		weight := faded(1, t.at-c.Counted, tasteHalfLife)
		t.weight += weight
		t.sports[state.Name(e.text("sport"))] += weight
		t.leagues[state.Name(e.text("sport"), e.text("league"))] += weight
		teams := map[uint32]bool{}
		for _, team := range e.participants() {
			teams[state.Name(e.text("sport"), team)] = true
		}
		for team := range teams {
			t.teams[team] += weight
		}
		if leg.Market != "" {
			t.markets[state.Name(leg.Market)] += weight
		}
		passed := uint32(0)
		for _, bound := range oddsBounds {
			if leg.Odds >= bound {
				passed++
			}
		}
		t.odds[passed] += weight
	})
	return t
}

func (f *Facts) eachKnownLeg(user string, do func(*Coupon, tipoff.Selection, *Event)) {
	for _, c := range f.Coupons[user] {
		for _, leg := range c.Selections {
			if e := f.known(leg.EventID); e != nil {
				do(c, leg, e)
			}
		}
	}
}

func (f *Facts) compareBettors(values map[string][]byte, d *differences) {
	for _, user := range f.ours(values) {
		if f.Users[user] == nil && len(f.Coupons[user]) == 0 {
			d.add(Wrong, "the table has a bettor %s of whom nothing is on the topics", user)
		}
	}
	for _, user := range union(f.Users, f.Coupons) {
		b, err := state.UnmarshalBettor(values[topics.Key(f.Company, user)])
		if err != nil {
			d.add(Lost, "bettor %s is not in the table: %v", user, err)
			continue
		}
		f.compareProfile(user, b, d)
		f.compareBets(user, b, d)
		f.compareTaste(user, b, d)
	}
}

func (f *Facts) compareProfile(user string, b *state.Bettor, d *differences) {
	want := f.Users[user]
	switch {
	case b.Known != (want != nil):
		d.add(Wrong, "bettor %s is posted in the table: %v, on the topic: %v", user, b.Known, want != nil)
	case b.Known && Canonical(b.User) != want.Content:
		d.add(Wrong, "bettor %s\n  table %s\n  topic %s", user, Canonical(b.User), want.Content)
	}
}

// compareBets compares the coupons that the bettor keeps, by time, and of each the
// legs and those that wait for their event.
func (f *Facts) compareBets(user string, b *state.Bettor, d *differences) {
	want := byTime(f.Coupons[user])
	if !d.count(fmt.Sprintf("coupons of bettor %s", user), uint64(len(b.Bets)), uint64(len(want))) {
		return
	}
	for i, c := range want {
		bet, what := b.Bets[i], fmt.Sprintf("bettor %s, bet %d, coupon %s", user, i, c.ID)
		if bet.Coupon != state.CouponRef(&c.Coupon) || bet.At != c.Counted {
			d.add(Wrong, "%s: is %x of %d, must be %x of %d", what, bet.Coupon, bet.At, state.CouponRef(&c.Coupon), c.Counted)
			continue
		}
		waiting, legs := uint64(0), []uint64{}
		for j, leg := range c.Selections {
			legs = append(legs, tipoff.EventRef(leg.EventID))
			if f.known(leg.EventID) == nil {
				waiting |= 1 << j
			}
		}
		if bet.Waiting != waiting {
			d.add(Wrong, "%s: of its legs %b wait, must be %b", what, bet.Waiting, waiting)
		}
		got := []uint64{}
		for _, leg := range bet.Legs {
			got = append(got, leg.Event)
		}
		if !slices.Equal(got, legs) {
			d.add(Wrong, "%s: its legs are %x, must be %x", what, got, legs)
		}
	}
}

// byTime lists coupons as they count in time; those of one second in the order of
// the topic.
func byTime(coupons []*Coupon) []*Coupon {
	sorted := slices.Clone(coupons)
	slices.SortStableFunc(sorted, func(a, b *Coupon) int { return cmp.Compare(a.Counted, b.Counted) })
	return sorted
}

func (f *Facts) compareTaste(user string, b *state.Bettor, d *differences) {
	want := f.taste(user)
	if !d.count(fmt.Sprintf("legs that bettor %s has learnt from", user), b.LegCount, want.legs) || want.legs == 0 {
		return
	}
	d.sum(fmt.Sprintf("weight of bettor %s", user), faded(b.Weight, want.at-b.At, tasteHalfLife), want.weight)
	for _, list := range []struct {
		name string
		got  []state.Affinity
		want map[uint32]float64
		most int
	}{
		{"sport", b.Sports, want.sports, state.MaxSports},
		{"league", b.Leagues, want.leagues, state.MaxLeagues},
		{"team", b.Teams, want.teams, state.MaxTeams},
		{"market", b.Markets, want.markets, state.MaxTastes},
		{"odds", b.Odds, want.odds, state.MaxTastes},
	} {
		what := fmt.Sprintf("bettor %s, %s", user, list.name)
		if n := min(len(list.want), list.most); len(list.got) != n {
			d.add(Wrong, "%s: %d are in the list, must be %d", what, len(list.got), n)
			continue
		}
		cut := len(list.want) > list.most // what left a full list and came back has lost weight
		for _, a := range list.got {
			got, want := faded(a.Weight, want.at-b.At, tasteHalfLife), list.want[a.Key]
			if !cut || got > want {
				d.sum(fmt.Sprintf("%s %x", what, a.Key), got, want)
			}
		}
	}
}
