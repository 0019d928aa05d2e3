package main

import (
	"slices"
	"testing"

	"tipoff/topics"
)

func TestLedger_KnowsThreeVerdicts(t *testing.T) {
	l := newLedger()
	e := entry{topic: topics.Users, entity: "u", tag: "v1"}
	first := l.post(e)
	l.note([]*entry{first}, []verdict{unknown})
	if again := l.post(e); again != first || first.verdict != unknown || !first.doubt {
		t.Errorf("after no response: %+v", first)
	}
	l.note([]*entry{first}, []verdict{refused}) // the first may be in all the same
	if first.verdict != unknown {
		t.Errorf("refused after no response: %+v", first)
	}
	l.note([]*entry{first}, []verdict{accepted})
	if first.verdict != accepted || l.repeats != 1 {
		t.Errorf("accepted in the end: %+v, %d repeats", first, l.repeats)
	}
}

func TestPlan_IsTheSameForASeed(t *testing.T) {
	plans := func(seed uint64) (said [][]string) {
		h := newHarness(settings{Seed: seed})
		h.defineProcesses()
		for b := range brokers {
			h.brokers = append(h.brokers, &proc{name: string(rune('1' + b))})
		}
		for round := range 50 {
			var what []string
			for _, d := range h.plan(round) {
				what = append(what, d.kind+d.what+d.after.String()+d.lasts.String())
			}
			said = append(said, what)
		}
		return said
	}
	same := func(a, b [][]string) bool { return slices.EqualFunc(a, b, slices.Equal[[]string]) }
	if first := plans(1); !same(first, plans(1)) || same(first, plans(2)) {
		t.Error("a seed does not say what a round does")
	}
}
