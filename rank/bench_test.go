package rank

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tipoff"
	"tipoff/state"
)

func BenchmarkRank1000(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	w := newWorld()
	for i := range 1000 {
		e := event(fmt.Sprint("e", i), fmt.Sprint("L", i%50), noon.Add(time.Duration(r.IntN(100)+1)*time.Hour))
		e.Participants = []string{fmt.Sprint("t", r.IntN(300)), fmt.Sprint("t", 300+r.IntN(300))}
		w.post(e)
	}
	for i := range 5000 {
		w.bet(fmt.Sprint("u", i%200), noon, fmt.Sprint("e", r.IntN(1000)))
	}
	scratch := new(Scratch)
	q := &Question{Query: tipoff.Query{UserID: "u1", N: 10, Diversity: 0.1}, Now: noon}
	b.ReportAllocs()
	for b.Loop() {
		w.index.Rank(q, scratch)
	}
}

func BenchmarkRankLearnt(b *testing.B) {
	for _, open := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(open), func(b *testing.B) {
			w, m := bigWorld(open)
			scratch := new(Scratch)
			q := &Question{Query: tipoff.Query{UserID: "u1", N: 10, Diversity: 0.1}, Now: noon, Model: m}
			w.index.Refresh(noon)
			b.ReportAllocs()
			for b.Loop() {
				w.index.Rank(q, scratch)
			}
		})
	}
}

// BenchmarkLearn is a bet on its way through a view and a model: the bettor's and the
// fixture's new values, and the step of learning before them.
func BenchmarkLearn(b *testing.B) {
	w, m := bigWorld(1000)
	s := new(Scratch)
	old, f := w.bettors["u1"], w.fixture("e5")
	fresh, _ := state.UnmarshalBettor(old.Marshal())
	fresh.User.ID = "u1"
	b.Run("step", func(b *testing.B) {
		for b.Loop() {
			m.Learn(w.index, &Question{Query: tipoff.Query{UserID: "u1"}, Now: noon}, []uint64{tipoff.EventRef("e900")}, s)
		}
	})
	b.Run("bettor", func(b *testing.B) {
		for b.Loop() {
			w.index.PutBettor("u1", fresh)
			w.index.PutBettor("u1", old)
		}
	})
	b.Run("fixture", func(b *testing.B) {
		for b.Loop() {
			w.index.PutFixture(tipoff.EventRef("e5"), f, noon)
		}
	})
}
