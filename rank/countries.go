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
	if x.isOpen[leg.slot] {
		x.keepHome(leg.slot, bets)
	}
	if bets.sum < countryLeast {
		c.remove(bets)
	}
}

func (b *countryBets) decayed() state.Decayed {
	return state.Decayed{Sum: b.sum, At: landmark + int64(b.at)}
}

// term is [termHome] of an event with these bets, at a Unix second.
func (b *countryBets) term(at int64) float32 {
	return ln1p(float32(b.sum) * exp2(-float32(max(0, at-landmark-int64(b.at)))*(1/popularitySeconds)))
}

const popularitySeconds = float32(state.PopularityHalfLife / time.Second)

// keepHomes keeps the terms of the bets on an open event from every country, as of the
// last [Index.Refresh]. All candidates of a question ask for those of one country.
func (x *Index) keepHomes(slot int32) {
	for _, terms := range x.homes {
		if int(slot) < len(terms) {
			terms[slot] = 0
		}
	}
	for i, bets := range x.entries[slot].countries.places {
		if bets.name != 0 {
			x.keepHome(slot, &x.entries[slot].countries.places[i])
		}
	}
}

// homesMost is of how many countries terms are kept: whoever posts users may name as many as
// he likes. Those of others are worked out for each question.
const homesMost = 256

func (x *Index) keepHome(slot int32, bets *countryBets) {
	terms, known := x.homes[bets.name]
	if !known && len(x.homes) == homesMost {
		return
	}
	if missing := len(x.entries) - len(terms); missing > 0 {
		terms = append(terms, make([]float32, missing)...)
		x.homes[bets.name] = terms
	}
	terms[slot] = bets.term(x.timed.at)
}

// homeTerm is the term of the bets on an event from the bettor's country.
func (r *ranking) homeTerm(slot int32) float32 {
	if r.isTimed && r.home != nil {
		if int(slot) < len(r.home) {
			return r.home[slot]
		}
		return 0
	}
	if bets := r.entries[slot].countries.of(r.from); bets != nil {
		return bets.term(r.timed.at)
	}
	return 0
}

// betsFrom is the decayed number of bets on the event from one country.
func (e *entry) betsFrom(country uint32, at int64) float64 {
	if bets := e.countries.of(country); bets != nil {
		return bets.decayed().Value(at, state.PopularityHalfLife)
	}
	return 0
}
