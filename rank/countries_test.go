package rank

import (
	"math/rand/v2"
	"testing"
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
