package state

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tipoff"
)

// named is a post of an event without status, result and markets.
func named(league string) tipoff.Event {
	e := event("e", league, noon)
	e.Status = ""
	return e
}

func TestFixture_APostSetsWhatItNames(t *testing.T) {
	markets := []tipoff.Market{{Market: "1x2", Outcomes: []tipoff.Outcome{{Outcome: "1", Odds: 1.5}}}}
	var f Fixture
	f.Post(named("A"), at(1))
	if f.Event.Status != tipoff.StatusOpen {
		t.Errorf("status %q of an event that was given none", f.Event.Status)
	}
	f.Change(tipoff.EventPatch{Status: tipoff.StatusCancelled, Result: "1:0", Markets: markets}, at(2))
	f.Post(named("B"), at(3))
	want := named("B")
	want.Status, want.Result, want.Markets = tipoff.StatusCancelled, "1:0", markets
	if d := cmp.Diff(want, f.Event); d != "" {
		t.Errorf("after a post that names none of them: %s", d)
	}
	e := named("B")
	e.Status, e.Result, e.Markets = tipoff.StatusFinished, "2:0", []tipoff.Market{}
	f.Post(e, at(4))
	want.Status, want.Result, want.Markets = tipoff.StatusFinished, "2:0", nil
	if d := cmp.Diff(want, f.Event); d != "" {
		t.Errorf("after a post that names all of them: %s", d)
	}
}

func TestFixture_AnOlderVersionUndoesNothing(t *testing.T) {
	post := func(version int64, league string) tipoff.Event {
		e := named(league)
		e.Version = tipoff.VersionOf(version)
		return e
	}
	patch := func(version int64, result string) tipoff.EventPatch {
		return tipoff.EventPatch{Result: result, Version: tipoff.VersionOf(version)}
	}
	var f Fixture
	f.Post(post(5, "five"), at(1))
	f.Post(post(4, "four"), at(2))
	f.Change(patch(4, "four"), at(3))
	if f.Event.League != "five" || f.Event.Result != "" || f.Events != at(3) {
		t.Errorf("an older version changed the event: %+v", f.Event)
	}
	f.Post(post(5, "five again"), at(4))
	f.Change(tipoff.EventPatch{Result: "none"}, at(5))
	if f.Event.League != "five again" || f.Event.Result != "none" || f.Event.Version != tipoff.VersionOf(5) {
		t.Errorf("the same version, or none, did not apply or lost the version: %+v", f.Event)
	}
	f.Change(patch(7, "seven"), at(6))
	f.Post(post(6, "six"), at(7))
	if f.Event.League != "five again" || f.Event.Result != "seven" || f.Event.Version != tipoff.VersionOf(7) {
		t.Errorf("a change of a newer version was undone: %+v", f.Event)
	}
	for name, c := range map[string]struct {
		early  []tipoff.EventPatch
		post   tipoff.Event
		result string
	}{
		"older changes wait":               {[]tipoff.EventPatch{patch(1, "one")}, post(2, "two"), "one"},
		"what names the same is newer":     {[]tipoff.EventPatch{patch(1, "one")}, tipoff.Event{Result: "two", Version: tipoff.VersionOf(2)}, "two"},
		"a change of none keeps it":        {[]tipoff.EventPatch{patch(3, "three"), {Result: "none"}, patch(2, "two")}, tipoff.Event{Result: "one", Version: tipoff.VersionOf(1)}, "none"},
		"a change is newer than the event": {[]tipoff.EventPatch{patch(3, "three"), patch(2, "two")}, tipoff.Event{Result: "one", Version: tipoff.VersionOf(1)}, "three"},
	} {
		var f Fixture
		for i, p := range c.early {
			f.Change(p, at(int64(i)))
		}
		f.Post(c.post, at(9))
		if f.Event.Result != c.result || f.Event.League != c.post.League {
			t.Errorf("%s: %+v", name, f.Event)
		}
	}
}

func TestBettor_AnOlderVersionUndoesNothing(t *testing.T) {
	var b Bettor
	for i, c := range []struct {
		version tipoff.Version
		country string
		stands  string
	}{
		{tipoff.Version{}, "A", "A none"}, {tipoff.VersionOf(0), "B", "B 0"}, {tipoff.VersionOf(3), "C", "C 3"}, {tipoff.VersionOf(2), "D", "C 3"},
		{tipoff.Version{}, "E", "E 3"}, {tipoff.VersionOf(2), "F", "E 3"}, {tipoff.VersionOf(3), "G", "G 3"},
	} {
		b.Post(tipoff.User{Country: c.country, Version: c.version}, at(int64(i)))
		stands := b.User.Country + " none"
		if v := b.User.Version; v.Given {
			stands = fmt.Sprint(b.User.Country, " ", v.Number)
		}
		if stands != c.stands || b.Users != at(int64(i)) {
			t.Errorf("after %+v: %s, want %s", c, stands, c.stands)
		}
	}
}

// anyFact draws a post or a change of one event, and returns what applies it.
func anyFact(t *rapid.T, versions bool) func(*Fixture, Position) {
	draw := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
	var version tipoff.Version
	if versions && rapid.Bool().Draw(t, "versioned") {
		version = tipoff.VersionOf(int64(rapid.IntRange(0, 3).Draw(t, "version")))
	}
	var markets []tipoff.Market
	switch draw("markets", "", "none", "some") {
	case "none":
		markets = []tipoff.Market{}
	case "some":
		markets = []tipoff.Market{{Market: draw("market", "a", "b"), Outcomes: []tipoff.Outcome{}}}
	}
	status, result := draw("status", "", tipoff.StatusOpen, tipoff.StatusCancelled), draw("result", "", "1:0", "2:0")
	begin := noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "begin")) * time.Hour)
	if rapid.Bool().Draw(t, "patch") {
		return func(f *Fixture, at Position) {
			f.Change(tipoff.EventPatch{ID: "e", Status: status, Result: result, Markets: markets, Begin: begin, Version: version}, at)
		}
	}
	e := event("e", draw("league", "A", "B"), begin)
	e.Status, e.Result, e.Markets, e.Version = status, result, markets, version
	return func(f *Fixture, at Position) { f.Post(e, at) }
}

// stored is the fixture as the table has it, but for the positions.
func stored(t *rapid.T, f *Fixture) *Fixture {
	again, err := UnmarshalFixture(f.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	again.Events, again.First = Position{}, Position{}
	return again
}

func TestFixture_ARepeatOfWhatCameLastChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, offset := new(Fixture), int64(0)
		for range rapid.IntRange(1, 6).Draw(t, "facts") {
			fact := anyFact(t, true)
			fact(f, at(offset))
			once := stored(t, f)
			fact(f, at(offset+1))
			offset += 2
			if d := cmp.Diff(once, stored(t, f)); d != "" {
				t.Fatal(d)
			}
		}
	})
}

// TestFixture_AFirstPostComesAgainLater: what came between makes it a post like others.
func TestFixture_AFirstPostComesAgainLater(t *testing.T) {
	first, other := event("e", "A", noon), named("B")
	for name, between := range map[string]func(*Fixture){
		"a change":     func(f *Fixture) { f.Change(tipoff.EventPatch{Result: "1:0"}, at(3)) },
		"another post": func(f *Fixture) { f.Post(other, at(3)) },
	} {
		var f Fixture
		f.Change(tipoff.EventPatch{Status: tipoff.StatusSuspended}, at(1))
		f.Post(first, at(2))
		between(&f)
		if f.Event.Status != tipoff.StatusSuspended {
			t.Errorf("after %s the event is %s", name, f.Event.Status)
		}
		if f.Post(first, at(4)); f.Event.Status != tipoff.StatusOpen || f.Event.League != "A" {
			t.Errorf("posted again after %s it does not set what it names: %+v", name, f.Event)
		}
	}
}

// TestFixture_TheHighestVersionStandsInAnyOrder: posts and changes, each with a version of
// its own, name the same field and come in any order.
func TestFixture_TheHighestVersionStandsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.Permutation([]int64{0, 1, 2, 3, 4}).Draw(t, "order")
		posts := rapid.Uint8Range(1, 31).Draw(t, "posts") // a bit a version; the others are changes
		var f Fixture
		for i, n := range order {
			result, version := fmt.Sprint(n), tipoff.VersionOf(n)
			if posts&(1<<n) != 0 {
				e := event("e", "A", noon)
				e.Result, e.Version = result, version
				f.Post(e, at(int64(i)))
			} else {
				f.Change(tipoff.EventPatch{ID: "e", Result: result, Version: version}, at(int64(i)))
			}
		}
		if f.Event.Result != "4" || f.Event.Version != tipoff.VersionOf(4) {
			t.Fatalf("%+v stands", f.Event)
		}
	})
}
