package rank

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Of the later events' bettors only those are taken in that may still be among the nearest;
// the nearest are the same as of all.
func TestPrepareNear_TakesInAllWhoMayBeNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := NewIndex()
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		bettors := rapid.IntRange(1, 400).Draw(t, "bettors")
		for range bettors {
			x.newTrail("")
		}
		var past []int32
		var want []other
		for k := range rapid.IntRange(0, nearHistory+1).Draw(t, "events") {
			slot := x.slot(uint64(k + 1))
			past = append(past, slot)
			var list []int32
			for _, trail := range random.Perm(bettors)[:rapid.IntRange(0, min(visitsKept, bettors)).Draw(t, "visits")] {
				list = append(list, int32(trail))
			}
			x.entries[slot].visits = visits{bettors: list, bets: make([]visit, len(list))}
			for _, trail := range slices.Backward(list) {
				if i := slices.IndexFunc(want, func(o other) bool { return o.trail == trail }); k < nearHistory && i >= 0 {
					want[i].weight += int32(nearHistory - k)
				} else if k < nearHistory && trail != 0 {
					want = append(want, other{trail, int32(nearHistory - k)})
				}
			}
		}
		slices.SortStableFunc(want, func(a, b other) int { return cmp.Compare(b.weight, a.weight) })
		want = want[:min(len(want), nearMost)]
		s := new(Scratch)
		s.reset(0, len(x.entries))
		r := &s.ranking
		*r = ranking{Index: x, Scratch: s, bettor: &Bettor{}, past: past}
		r.prepareNear()
		got := slices.Clone(s.others.all[:min(len(s.others.all), nearMost)]) // nearest leaves them there
		slices.SortStableFunc(got, func(a, b other) int { return cmp.Compare(b.weight, a.weight) })
		if !slices.Equal(got, want) {
			t.Errorf("nearest are %v, want %v", got, want)
		}
	})
}
