package state

import (
	"slices"

	"tipoff"
)

// What the learner asks of states that may hold a coupon already: what was known before.

// forgettable is the share of a weight below which the rest of a sum is taken for what
// rounding has left of nothing.
const forgettable = 1e-6

// NewChoice is what the learner is told of a coupon, of which these are all legs.
func NewChoice(legs []Leg) *Choice {
	c := &Choice{Cause: legs[0].Cause, UserID: legs[0].UserID, Coupon: legs[0].Coupon, At: legs[0].At}
	for i := range legs {
		c.Events = append(c.Events, tipoff.EventRef(legs[i].EventID))
	}
	return c
}

// Legs are those of the choice, as far as [Fixture.Without] asks, by a state of its bettor.
func (c *Choice) Legs(b *Bettor) []Leg {
	legs := make([]Leg, len(c.Events))
	for i, history := range b.histories(c.Coupon, c.At, c.Position, c.Events) {
		legs[i] = Leg{Cause: c.Cause, At: c.At, History: history}
		legs[i].Index = i
	}
	return legs
}

// Before is the bettor without a choice and the coupons that came after it, as far as it
// matters to ranking: markets and odds stay. The sums of a taste are linear, so what these
// coupons have added is taken out, by the traits of their events. What has left a full list
// does not come back, and legs that waited for their event have been learnt from. A bettor
// who does not hold the choice yet is as before.
func (b *Bettor) Before(c *Choice, traits func(event uint64) Traits) *Bettor {
	less := *b
	less.Bets = make([]Bet, 0, len(b.Bets))
	less.Sports, less.Leagues, less.Teams = slices.Clone(b.Sports), slices.Clone(b.Leagues), slices.Clone(b.Teams)
	for i := range b.Bets {
		bet := &b.Bets[i]
		if bet.Record.Source != c.Source || tipoff.SequenceBefore(bet.Record.Offset, c.Offset) {
			less.Bets = append(less.Bets, *bet)
			continue
		}
		for _, leg := range bet.Legs {
			if leg.Begin != 0 && less.LegCount > 0 { // it was learnt from
				less.unlearn(traits(leg.Event), Decay(b.At-bet.At, TasteHalfLife))
			}
		}
	}
	if less.LegCount == 0 {
		less.Weight, less.At = 0, 0
		less.Sports, less.Leagues, less.Teams = nil, nil, nil
	}
	return &less
}

// unlearn takes a leg out of the taste.
func (b *Bettor) unlearn(t Traits, weight float64) {
	b.LegCount--
	b.Weight = max(0, b.Weight-weight)
	b.Sports = unlike(b.Sports, t.Sport, weight)
	b.Leagues = unlike(b.Leagues, t.League, weight)
	for _, team := range t.Teams {
		b.Teams = unlike(b.Teams, team, weight)
	}
}

// unlike takes weight from a category, and drops it where nothing is left.
func unlike(list []Affinity, key uint32, weight float64) []Affinity {
	i := slices.IndexFunc(list, func(a Affinity) bool { return a.Key == key })
	if i < 0 {
		return list
	}
	if list[i].Weight -= weight; list[i].Weight <= weight*forgettable {
		return slices.Delete(list, i, i+1)
	}
	return list
}
