package rank

import (
	"time"

	"tipoff/state"
)

// countries are the bets on an event by bettors of each country, found by its name's
// lowest bits: every candidate is asked for one of them. There are a power of two of
// places, a quarter of them empty or more.
type countries struct {
	places []countryBets
	used   int
}

// countryBets are a [state.Decayed] number of bets.
type countryBets struct {
	name uint32 // [state.Name]; 0: an empty place
	at   int32  // that sum refers to, seconds since [landmark]
	sum  float64
}

const leastCountries = 4 // places

// of finds a country, nil if there are no bets from it.
func (c *countries) of(name uint32) *countryBets {
	if c.used == 0 {
		return nil
	}
	for at := name; ; at++ {
		switch place := &c.places[at&uint32(len(c.places)-1)]; place.name {
		case name:
			return place
		case 0:
			return nil
		}
	}
}

// add puts a country in that is not there.
func (c *countries) add(name uint32) *countryBets {
	if c.used++; 4*c.used > 3*len(c.places) {
		c.move(max(leastCountries, 2*len(c.places)))
	}
	return c.put(countryBets{name: name})
}

func (c *countries) put(bets countryBets) *countryBets {
	for at := bets.name; ; at++ {
		if place := &c.places[at&uint32(len(c.places)-1)]; place.name == 0 {
			*place = bets
			return place
		}
	}
}

// move writes all countries into so many places.
func (c *countries) move(places int) {
	old := c.places
	c.places = make([]countryBets, places)
	for _, bets := range old {
		if bets.name != 0 {
			c.put(bets)
		}
	}
}

// remove forgets a country that is there.
func (c *countries) remove(bets *countryBets) {
	bets.name = 0
	if c.used--; c.used == 0 {
		c.places = nil
		return
	}
	c.move(len(c.places)) // what stood behind it because of it moves up
}

// countryLeast is the sum of bets below which a country is forgotten.
const countryLeast = 1e-6

// addCountry adds a leg so many times to its event's bets from a country, 0: none.
func (x *Index) addCountry(leg legBet, country uint32, times float64) {
	if country == 0 {
		return
	}
	c := &x.entries[leg.slot].countries
	bets := c.of(country)
	if bets == nil {
		bets = c.add(country)
	}
	d := bets.decayed()
	d.Add(times, landmark+int64(leg.at), state.PopularityHalfLife)
	bets.sum, bets.at = d.Sum, int32(d.At-landmark)
	if bets.sum < countryLeast {
		c.remove(bets)
	}
}

func (b *countryBets) decayed() state.Decayed {
	return state.Decayed{Sum: b.sum, At: landmark + int64(b.at)}
}

// homeBets is the same as [entry.betsFrom], in the precision of a term.
func (e *entry) homeBets(country uint32, at int64) float32 {
	bets := e.countries.of(country)
	if bets == nil {
		return 0
	}
	return float32(bets.sum) * exp2(-float32(max(0, at-landmark-int64(bets.at)))*(1/popularitySeconds))
}

const popularitySeconds = float32(state.PopularityHalfLife / time.Second)

// betsFrom is the decayed number of bets on the event from one country.
func (e *entry) betsFrom(country uint32, at int64) float64 {
	if bets := e.countries.of(country); bets != nil {
		return bets.decayed().Value(at, state.PopularityHalfLife)
	}
	return 0
}
