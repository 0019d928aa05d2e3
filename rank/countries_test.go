package rank

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tipoff"
)

func TestCountries_AreFoundWhereTheyWerePut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var c countries
	want := map[uint32]float64{}
	for i := range 20_000 {
		name := 1 + r.Uint32N(60)<<r.Uint32N(4) // many share their lowest bits
		bets := c.of(name)
		if _, known := want[name]; known != (bets != nil) {
			t.Fatalf("step %d: country %d is known: %v, want %v", i, name, bets != nil, known)
		}
		switch {
		case bets == nil:
			c.add(name).sum = float64(i)
			want[name] = float64(i)
		case bets.sum != want[name]:
			t.Fatalf("step %d: country %d has %v, want %v", i, name, bets.sum, want[name])
		case r.IntN(3) > 0:
			c.remove(bets)
			delete(want, name)
		}
	}
	for name := range want {
		c.remove(c.of(name))
	}
	if c.used != 0 || c.places != nil {
		t.Errorf("%d countries are left in %d places", c.used, len(c.places))
	}
}

// TestHomes_AreTheTermsOfTheBets whatever was posted, closed, bet and opened again.
func TestHomes_AreTheTermsOfTheBets(t *testing.T) {
	w, r := newWorld(), rand.New(rand.NewPCG(1, 1))
	for i := range 40 {
		w.post(event(fmt.Sprint("e", i), "L", noon.Add(time.Hour)))
	}
	for i := range 8000 {
		user, id := fmt.Sprint("u", r.IntN(400)), fmt.Sprint("e", r.IntN(40))
		switch r.IntN(6) {
		case 0:
			w.user(user, fmt.Sprint("country ", r.IntN(homesMost+50)))
		case 1:
			w.patch(id, tipoff.EventPatch{Status: []string{tipoff.StatusOpen, tipoff.StatusSuspended}[r.IntN(2)]})
		case 2:
			w.index.Refresh(noon.Add(time.Duration(i) * time.Second))
		default:
			w.bet(user, noon.Add(time.Duration(i-8000)*time.Second), id)
		}
	}
	checked := 0
	for country, terms := range w.index.homes {
		for _, slot := range w.index.open {
			want, got := float32(0), float32(0)
			if bets := w.index.entries[slot].countries.of(country); bets != nil {
				want = bets.term(w.index.timed.at)
				checked++
			}
			if int(slot) < len(terms) {
				got = terms[slot]
			}
			if d := got - want; d > 2*countryLeast || d < -2*countryLeast {
				t.Fatalf("slot %d, country %d: %v is kept, the bets come to %v", slot, country, got, want)
			}
		}
	}
	if len(w.index.homes) != homesMost || checked == 0 {
		t.Errorf("terms of %d countries are kept, %d of them compared", len(w.index.homes), checked)
	}
}
