package rank

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tipoff"
)

// TestPairs_AheadAreThoseThatMayOpen: a question finds each open event that pairs with a
// past one, in both directions, whatever has begun, was moved or was forgotten.
func TestPairs_AheadAreThoseThatMayOpen(t *testing.T) {
	w := randomWorld(6, 500)
	check := func(when string) {
		t.Helper()
		x := w.index
		found := 0
		for slot := range x.entries {
			e := &x.entries[slot]
			want, got := map[int32]pair{}, map[int32]pair{}
			note := func(o edge, add func(*pair, float32)) {
				if x.isOpen[o.slot] {
					p := want[o.slot]
					p.slot = o.slot
					add(&p, o.weight)
					want[o.slot] = p
				}
			}
			for _, o := range e.before {
				note(o, func(p *pair, w float32) { p.before = w })
			}
			for _, o := range e.after {
				note(o, func(p *pair, w float32) { p.after = w })
			}
			for _, p := range e.ahead {
				if _, twice := got[p.slot]; twice {
					t.Errorf("%s: a pair stands twice", when)
				}
				if x.isOpen[p.slot] {
					got[p.slot] = p
				}
			}
			found += len(want)
			if !maps.Equal(want, got) {
				t.Errorf("%s, slot %d: %s", when, slot, cmp.Diff(want, got, cmp.AllowUnexported(pair{})))
			}
		}
		if found == 0 {
			t.Errorf("%s: nothing is open", when)
		}
	}
	check("at first")
	w.now = noon.Add(40 * time.Hour)
	for range 5 {
		w.index.Begin(w.now)
		w.index.Sweep()
		check("when half have begun")
	}
	later := w.now.Add(time.Hour)
	for i := range 60 {
		w.patch(fmt.Sprint("e", i), tipoff.EventPatch{Begin: later})
	}
	check("when all were moved")
	for i := range 200 {
		w.bet(fmt.Sprint("u", i%12), w.now, fmt.Sprint("e", i*7%60), fmt.Sprint("e", i*11%60))
	}
	check("after more bets")
	for i := range 20 {
		w.index.RemoveFixture(tipoff.EventRef(fmt.Sprint("e", i)))
	}
	check("when some were forgotten")
}
