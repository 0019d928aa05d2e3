package bench

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
	"tipoff/views"
)

// bettorsOn are a world whose bettors bet in turn, and views that hold it.
type bettorsOn struct {
	*world
	views   *views.Views
	bettors []*state.Bettor
	r       *rand.Rand
	keys    []string
	values  [][]byte
}

var betsOnce = sync.OnceValues(func() (*bettorsOn, error) {
	w := newWorld(size{20_000, 5000, worldBets}, time.Now().Truncate(time.Second))
	on := &bettorsOn{world: w, views: views.New(), r: rand.New(rand.NewPCG(worldSeed, 0))}
	for i := range w.users {
		on.bettors = append(on.bettors, w.bettor(i))
		on.keys = append(on.keys, topics.Key(tipoff.DefaultCompany, w.users[i].ID))
		on.values = append(on.values, on.bettors[i].Marshal())
		if err := on.views.PutBettor(on.keys[i], on.values[i]); err != nil {
			return nil, err
		}
	}
	for id, f := range w.fixtures {
		if err := on.views.PutFixture(topics.Key(tipoff.DefaultCompany, id), f.Marshal(), w.now); err != nil {
			return nil, err
		}
	}
	return on, nil
})

// bet has every bettor place one more coupon, all within a minute.
func (on *bettorsOn) bet() {
	for i, b := range on.bettors {
		on.now = on.now.Add(time.Minute / time.Duration(len(on.bettors)))
		_, leagues := on.taste(i)
		id := fmt.Sprintf("b-%d-%d", i, on.now.Unix())
		if c, events := on.coupon(on.r, id, &on.users[i], leagues, on.now); len(events) > 0 {
			on.world.bet(b, &c, events, false)
		}
		on.values[i] = b.Marshal()
	}
}

// BenchmarkPutBettor applies values of the bettors' table to a view, each with one coupon
// more than the one before it.
func BenchmarkPutBettor(b *testing.B) {
	on, err := betsOnce()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		of := i % len(on.keys)
		if of == 0 {
			b.StopTimer()
			on.bet()
			b.StartTimer()
		}
		if err := on.views.PutBettor(on.keys[of], on.values[of]); err != nil {
			b.Fatal(err)
		}
	}
}
