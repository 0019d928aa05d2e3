package rank

import (
	"slices"
	"time"

	"tipoff/state"
)

// countryBets are the bets on an event by bettors of one country.
type countryBets struct {
	country uint32 // [state.Name]
	state.Decayed
}

// countryLeg is what a leg counts as for its bettor's country.
type countryLeg struct {
	event   uint64
	country uint32
	at      int64
}

// legsByCountry counts the legs of a bettor whose events are posted and have not begun.
func legsByCountry(b *state.Bettor) map[countryLeg]int {
	if b == nil || !b.Known {
		return nil
	}
	country, legs := b.Country(), make(map[countryLeg]int, state.HistoryLegs)
	for i := range b.Bets {
		for _, leg := range b.Bets[i].Legs {
			if leg.Begin != 0 && !leg.HasBegun() {
				legs[countryLeg{leg.Event, country, b.Bets[i].At}]++
			}
		}
	}
	return legs
}

// countryLeast is the sum of bets below which a country is forgotten.
const countryLeast = 1e-6

func (x *Index) addCountry(leg countryLeg, times float64) {
	slot := x.slot(leg.event)
	e := &x.entries[slot]
	i := slices.IndexFunc(e.countries, func(c countryBets) bool { return c.country == leg.country })
	if i < 0 {
		i = len(e.countries)
		e.countries = append(e.countries, countryBets{country: leg.country})
	}
	c := &e.countries[i]
	c.Add(times, leg.at, state.PopularityHalfLife)
	if c.Sum < countryLeast {
		e.countries = slices.Delete(e.countries, i, i+1)
		x.drop(slot)
		return
	}
	for ; i > 0 && e.countries[i-1].Sum < e.countries[i].Sum; i-- { // who bets most is asked for most
		e.countries[i-1], e.countries[i] = e.countries[i], e.countries[i-1]
	}
}

// homeBets is the same as [entry.betsFrom], in the precision of a term.
func (e *entry) homeBets(country uint32, at int64) float32 {
	for i := range e.countries {
		if c := &e.countries[i]; c.country == country {
			return float32(c.Sum) * exp2(-float32(max(0, at-c.At))*(1/popularitySeconds))
		}
	}
	return 0
}

const popularitySeconds = float32(state.PopularityHalfLife / time.Second)

// betsFrom is the decayed number of bets on the event from one country.
func (e *entry) betsFrom(country uint32, at int64) float64 {
	for i := range e.countries {
		if e.countries[i].country == country {
			return e.countries[i].Value(at, state.PopularityHalfLife)
		}
	}
	return 0
}
