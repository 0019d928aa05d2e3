package rank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tipoff"
)

// crowded is a world with more open events than are ranked without retrieval, in which
// events were bet on, begun, closed, opened again and put off.
func crowded() *world {
	w, r := newWorld(), rand.New(rand.NewPCG(1, 1))
	begin := func() time.Time { return noon.Add(time.Duration(r.IntN(200)-20) * time.Hour) }
	for i := range 700 {
		w.post(event(fmt.Sprint("e", i), fmt.Sprint("L", i%12), begin()))
	}
	for i := range 3000 {
		id := fmt.Sprint("e", int(700*math.Pow(r.Float64(), 3)))
		w.bet(fmt.Sprint("u", r.IntN(100)), noon.Add(time.Duration(i-3000)*time.Second), id)
		switch r.IntN(20) {
		case 0:
			w.patch(id, tipoff.EventPatch{Status: tipoff.StatusSuspended})
		case 1:
			w.patch(id, tipoff.EventPatch{Status: tipoff.StatusOpen})
		case 2:
			w.patch(id, tipoff.EventPatch{Begin: begin()})
		}
	}
	w.now = noon
	w.index.Begin(noon)
	w.index.Sweep()
	return w
}

// TestRetrieve_DoesNotDependOnTheWayHere: a gateway that has followed every change and
// one that has read the tables once give the same lists, now and after more bets.
func TestRetrieve_DoesNotDependOnTheWayHere(t *testing.T) {
	w := crowded()
	built := &world{index: NewIndex(), bettors: w.bettors, fixtures: w.fixtures, now: w.now}
	for _, id := range slices.Sorted(keys(w.fixtures)) {
		built.index.PutFixture(tipoff.EventRef(id), w.fixtures[id], w.now)
	}
	for id, b := range w.bettors {
		built.index.PutBettor(id, b)
	}
	if _, open := w.index.Len(); open <= retrieveAbove {
		t.Fatalf("only %d events are open", open)
	}
	same := func(when string) {
		t.Helper()
		for k := range w.index.hot {
			a, b := w.index.hot[k].events, built.index.hot[k].events
			if n := min(hotLeast, len(a)); len(a) < hotLeast || !slices.EqualFunc(a[:n], b[:n], func(x, y hotEvent) bool {
				return w.index.entries[x.slot].ref == built.index.entries[y.slot].ref
			}) {
				t.Errorf("%s: hot list %d differs", when, k)
			}
		}
		for user := range w.bettors {
			if diff := cmp.Diff(ids(w.ask(user)), ids(built.ask(user))); diff != "" {
				t.Errorf("%s, %s:\n%s", when, user, diff)
			}
		}
	}
	same("at first")
	for i := range 80 { // the hottest begin, and cold ones are bet on
		hottest := w.index.hot[0].events[0].slot
		ref := w.index.entries[hottest].ref
		w.index.setOpen(hottest, false)
		built.index.setOpen(built.index.slots[ref], false)
		id := fmt.Sprint("e", 600+i)
		w.bet("late", noon, id)
		built.index.PutFixture(tipoff.EventRef(id), w.fixtures[id], w.now)
		built.index.PutBettor("late", w.bettors["late"])
	}
	same("later")
}

func keys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
