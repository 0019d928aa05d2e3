package main

import (
	"slices"
	"testing"
	"time"

	"tipoff"
	"tipoff/score"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

// small is a system whose tables hold what two events and three coupons come to.
func small(t *testing.T) (*harness, *fold) {
	t.Helper()
	stands := func(offset int64, r tipoff.Record) record {
		return record{offset: offset, key: r.Key, value: r.Value, appended: noon, received: r.Received}
	}
	var events, coupons []record
	fixtures := map[string]*score.Fixture{}
	for i, league := range []string{"A", "B"} {
		e := tipoff.Event{ID: league, Sport: "S", League: league, Country: "C", Participants: []string{league + "1", league + "2"},
			Begin: noon.Add(time.Hour), End: noon.Add(2 * time.Hour), Status: tipoff.StatusOpen}
		events = append(events, stands(int64(i), tipoff.EventRecord(company, e, noon)))
		fixtures[e.ID] = &score.Fixture{}
		fixtures[e.ID].Post(e, score.Position{Source: 1, Offset: int64(i)})
	}
	var b score.Bettor
	for i, legs := range [][]string{{"A"}, {"B", "A"}, {"B"}} {
		at := noon.Add(-time.Duration(i) * 24 * time.Hour)
		c := tipoff.Coupon{ID: string(rune('1' + i)), UserID: "u", Stake: 1, Timestamp: at}
		for _, event := range legs {
			c.Selections = append(c.Selections, tipoff.Selection{EventID: event, Odds: 2, Market: "m", Outcome: "1"})
		}
		coupons = append(coupons, stands(int64(i), tipoff.CouponRecord(company, c, noon)))
		place := score.Position{Source: 2, Offset: int64(i)}
		b.Note(&c, place, place, noon.Unix())
		for _, leg := range b.Send(&c, score.Cause{Position: place}, noon.Unix()) {
			fixtures[leg.EventID].Count(&leg)
			b.Apply(score.Resolve(&leg, fixtures[leg.EventID].Traits()), noon.Unix())
		}
	}
	h := &harness{bettorValues: map[string][]byte{tipoff.Key(company, "u"): b.Marshal()}, fixtureValues: map[string][]byte{}}
	for id, f := range fixtures {
		h.fixtureValues[tipoff.Key(company, id)] = f.Marshal()
	}
	f, err := refold(nil, events, coupons)
	if err != nil {
		t.Fatal(err)
	}
	return h, f
}

func (h *harness) differences(f *fold) (kinds []string) {
	var faults []fault
	h.compareBettors(f, map[string]taste{"u": f.taste("u")}, &faults)
	h.compareFixtures(f, f.demands(), &faults)
	for _, fault := range faults {
		kinds = append(kinds, fault.kind)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

func TestFold_AgreesWithTheTables(t *testing.T) {
	h, f := small(t)
	if found := h.differences(f); len(found) > 0 {
		t.Errorf("differences: %v", found)
	}
}

func TestFold_SeesEachDifference(t *testing.T) {
	bettor := func(change func(*score.Bettor)) func(*harness) {
		return func(h *harness) {
			b, err := score.UnmarshalBettor(h.bettorValues["default/u"])
			if err != nil {
				t.Fatal(err)
			}
			change(b)
			h.bettorValues["default/u"] = b.Marshal()
		}
	}
	fixture := func(change func(*score.Fixture)) func(*harness) {
		return func(h *harness) {
			f, err := score.UnmarshalFixture(h.fixtureValues["default/A"])
			if err != nil {
				t.Fatal(err)
			}
			change(f)
			h.fixtureValues["default/A"] = f.Marshal()
		}
	}
	for _, planted := range []struct {
		name, kind string
		plant      func(*harness)
	}{
		{"a leg learnt twice", "twice", bettor(func(b *score.Bettor) { b.Legs++ })},
		{"a leg not learnt", "lost", bettor(func(b *score.Bettor) { b.Legs-- })},
		{"a weight a billionth off", "wrong", bettor(func(b *score.Bettor) { b.Leagues[0].Weight *= 1 + 1e-8 })},
		{"a coupon forgotten", "wrong", bettor(func(b *score.Bettor) { b.Bets = b.Bets[1:] })},
		{"a bettor of nobody's", "wrong", func(h *harness) { h.bettorValues["default/x"] = h.bettorValues["default/u"] }},
		{"an outcome missing", "lost", fixture(func(f *score.Fixture) { f.Outcomes = nil })},
		{"no bettor", "lost", func(h *harness) { clear(h.bettorValues) }},
		{"a leg counted twice", "twice", fixture(func(f *score.Fixture) { f.Legs++ })},
		{"a pair too heavy", "wrong", fixture(func(f *score.Fixture) { f.Neighbours[0].Weight++ })},
		{"an outcome too many", "wrong", fixture(func(f *score.Fixture) { f.Outcomes[0].Bets++ })},
		{"an older version of the event", "wrong", fixture(func(f *score.Fixture) { f.Event.Status = tipoff.StatusSuspended })},
		{"no fixture", "lost", func(h *harness) { clear(h.fixtureValues) }},
	} {
		h, f := small(t)
		planted.plant(h)
		if found := h.differences(f); !slices.Equal(found, []string{planted.kind}) {
			t.Errorf("%s: found %v, want %s", planted.name, found, planted.kind)
		}
	}
}

func TestLedger_KnowsThreeAnswers(t *testing.T) {
	l := newLedger()
	e := entry{topic: tipoff.TopicUsers, entity: "u", tag: "v1"}
	first := l.post(e)
	l.answer([]*entry{first}, []verdict{unknown})
	if again := l.post(e); again != first || first.verdict != unknown || !first.doubt {
		t.Errorf("after no answer: %+v", first)
	}
	l.answer([]*entry{first}, []verdict{refused}) // the first may be in all the same
	if first.verdict != unknown {
		t.Errorf("refused after no answer: %+v", first)
	}
	l.answer([]*entry{first}, []verdict{accepted})
	if first.verdict != accepted || l.repeats != 1 {
		t.Errorf("accepted in the end: %+v, %d repeats", first, l.repeats)
	}
}

func TestPlan_IsTheSameForASeed(t *testing.T) {
	plans := func(seed uint64) (said [][]string) {
		h := &harness{seed: seed, net: newNetwork()}
		h.makeProcesses()
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
