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

// countryLeast is the sum of bets below which a country is forgotten.
const countryLeast = 1e-6

// addCountry adds a leg so many times to its event's bets from a country, 0: none.
func (x *Index) addCountry(leg legBet, country uint32, times float64) {
	if country == 0 {
		return
	}
	e := &x.entries[leg.slot]
	i := slices.IndexFunc(e.countries, func(c countryBets) bool { return c.country == country })
	if i < 0 {
		i = len(e.countries)
		e.countries = append(e.countries, countryBets{country: country})
	}
	c := &e.countries[i]
	c.Add(times, landmark+int64(leg.at), state.PopularityHalfLife)
	if c.Sum < countryLeast {
		e.countries = slices.Delete(e.countries, i, i+1)
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
