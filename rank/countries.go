package rank

import (
	"slices"
	"time"

	"tipoff/state"
)

// countries are the bets on an event by bettors of each country, those that bet most
// first. The names stand apart, as they are what is searched.
type countries struct {
	names []uint32 // [state.Name]
	bets  []state.Decayed
}

// countryLeast is the sum of bets below which a country is forgotten.
const countryLeast = 1e-6

// addCountry adds a leg so many times to its event's bets from a country, 0: none.
func (x *Index) addCountry(leg legBet, country uint32, times float64) {
	if country == 0 {
		return
	}
	c := &x.entries[leg.slot].countries
	i := slices.Index(c.names, country)
	if i < 0 {
		i = len(c.names)
		c.names, c.bets = append(c.names, country), append(c.bets, state.Decayed{})
	}
	c.bets[i].Add(times, landmark+int64(leg.at), state.PopularityHalfLife)
	if c.bets[i].Sum < countryLeast {
		c.names, c.bets = slices.Delete(c.names, i, i+1), slices.Delete(c.bets, i, i+1)
		return
	}
	for ; i > 0 && c.bets[i-1].Sum < c.bets[i].Sum; i-- {
		c.names[i-1], c.names[i] = c.names[i], c.names[i-1]
		c.bets[i-1], c.bets[i] = c.bets[i], c.bets[i-1]
	}
}

// homeBets is the same as [entry.betsFrom], in the precision of a term.
func (e *entry) homeBets(country uint32, at int64) float32 {
	for i, name := range e.countries.names {
		if name == country {
			c := &e.countries.bets[i]
			return float32(c.Sum) * exp2(-float32(max(0, at-c.At))*(1/popularitySeconds))
		}
	}
	return 0
}

const popularitySeconds = float32(state.PopularityHalfLife / time.Second)

// betsFrom is the decayed number of bets on the event from one country.
func (e *entry) betsFrom(country uint32, at int64) float64 {
	if i := slices.Index(e.countries.names, country); i >= 0 {
		return e.countries.bets[i].Value(at, state.PopularityHalfLife)
	}
	return 0
}
