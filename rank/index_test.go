package rank

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tipoff"
	"tipoff/state"
)

func TestIndex_KeptCurrentIsTheSameAsBuiltAgain(t *testing.T) {
	for seed := range uint64(5) {
		w := randomWorld(seed, 400)
		built := &world{index: NewIndex(), bettors: w.bettors, fixtures: w.fixtures, now: w.now}
		for id, b := range w.bettors {
			built.index.PutBettor(id, b)
		}
		for id, f := range w.fixtures {
			built.index.PutFixture(tipoff.EventRef(id), f, w.now)
		}
		for user := range w.bettors {
			if diff := cmp.Diff(w.ask(user), built.ask(user)); diff != "" {
				t.Errorf("seed %d, %s:\n%s", seed, user, diff)
			}
		}
		if diff := cmp.Diff(w.index.Popular("", "country 1", 20, w.now), built.index.Popular("", "country 1", 20, w.now)); diff != "" {
			t.Errorf("seed %d:\n%s", seed, diff)
		}
	}
}

func TestIndex_GivesEverythingBack(t *testing.T) {
	w := randomWorld(1, 300)
	for id := range w.bettors {
		w.index.PutBettor(id, nil)
	}
	for id := range w.fixtures {
		w.index.RemoveFixture(tipoff.EventRef(id))
	}
	if all, open := w.index.Len(); all != 0 || open != 0 {
		t.Errorf("%d fixtures are left, %d open", all, open)
	}
	if left := math.Abs(w.index.crowd) / state.Decay(landmark-noon.Unix(), state.TasteHalfLife); left > 1e-9 {
		t.Errorf("the crowd's weight is %v bets", left)
	}
}

func TestAffinities_InWords(t *testing.T) {
	w := newWorld()
	w.post(event("e1", "Liga", noon.Add(time.Hour)))
	w.post(event("e2", "Liga", noon.Add(time.Hour)))
	w.bet("u", noon, "e1")
	w.bet("u", noon, "e2")
	got, _ := w.index.Affinities("u", noon.Add(state.TasteHalfLife))
	if got.Bets != 2 || got.Sports[0] != (tipoff.Affinity{Name: "Football", Weight: 1, Share: 1}) ||
		got.Leagues[0].Name != "Liga" || len(got.Teams) != 4 || got.Teams[0].Share != 0.5 ||
		got.Markets[0].Name != "1x2" || got.Odds[0].Name != "2.00-3.00" {
		t.Errorf("%+v", got)
	}
}
