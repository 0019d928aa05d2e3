package oracle

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

// Half-lives of the counts of a fixture's bets, in seconds.
const popularityHalfLife = 6 * 3600

var paceHalfLives = [...]float64{5 * 60, 20 * 60, 2 * 3600, 48 * 3600, 30 * 24 * 3600}

// A leg pairs its event with up to ten events that its user bet on before: the last
// one weighs 65,536, and each before it 0.7 of the one after.
const (
	pairs    = 10
	pairUnit = 65536
	pairLag  = 0.7
)

// demand is what the bets on an event must come to.
type demand struct {
	times      []int64 // of its legs, Unix seconds
	outcomes   map[outcome]uint64
	neighbours map[uint64]uint64 // by [tipoff.EventRef]
	waiting    map[waiting]bool
}

type outcome struct{ market, outcome string }

// waiting is a leg as a chunk of waiting legs holds it.
type waiting struct {
	user   string
	coupon uint64 // [state.CouponRef]
	index  int
}

// demands works out the demand of every event that somebody bet on.
func (f *Facts) demands() map[string]*demand {
	all := map[string]*demand{}
	for user, coupons := range f.Coupons {
		for i, c := range coupons {
			before := eventsBefore(coupons[:i], c)
			for j, leg := range c.Selections {
				d := all[leg.EventID]
				if d == nil {
					d = &demand{outcomes: map[outcome]uint64{}, neighbours: map[uint64]uint64{}, waiting: map[waiting]bool{}}
					all[leg.EventID] = d
				}
				d.times = append(d.times, c.Counted)
				d.waiting[waiting{user, state.CouponRef(&c.Coupon), j}] = true
				if leg.Outcome != "" {
					d.outcomes[outcome{leg.Market, leg.Outcome}]++
				}
				before = slices.DeleteFunc(before, func(event string) bool { return event == leg.EventID })
				for lag, event := range before[:min(len(before), pairs)] {
					d.neighbours[tipoff.EventRef(event)] += uint64(math.Round(pairUnit * math.Pow(pairLag, float64(lag))))
				}
				before = slices.Insert(before, 0, leg.EventID)
			}
		}
	}
	return all
}

// eventsBefore lists the distinct events of a user's earlier bets, the latest placed
// first: of those that came before c and are not dated after it.
func eventsBefore(earlier []*Coupon, c *Coupon) (events []string) {
	for _, other := range slices.Backward(byTime(earlier)) {
		if other.Counted > c.Counted {
			continue
		}
		for _, leg := range slices.Backward(other.Selections) {
			if !slices.Contains(events, leg.EventID) {
				events = append(events, leg.EventID)
			}
		}
	}
	return events
}

// faded is the number of bets, each faded until the last one.
func (w *demand) faded(halfLife float64) (sum float64) {
	for _, at := range w.times {
		sum += faded(1, slices.Max(w.times)-at, halfLife)
	}
	return sum
}

func (f *Facts) compareFixtures(values map[string][]byte, d *differences) {
	demands := f.demands()
	for _, event := range f.ours(values) {
		if f.Events[event] == nil && demands[event] == nil {
			d.add(Wrong, "the table has a fixture %s of which nothing is on the topics", event)
		}
	}
	chunks := f.chunks(values, d)
	for _, event := range union(f.Events, demands) {
		fixture, err := state.UnmarshalFixture(values[topics.Key(f.Company, event)])
		if err != nil {
			d.add(Lost, "fixture %s is not in the table: %v", event, err)
			continue
		}
		f.compareEvent(event, fixture, d)
		want := demands[event]
		if want == nil {
			want = &demand{}
		}
		if d.count(fmt.Sprintf("legs of fixture %s", event), fixture.LegCount, uint64(len(want.times))) {
			want.compare(event, fixture, d)
			f.compareWaiting(event, fixture, chunks[event], want, d)
		}
	}
}

func (f *Facts) compareEvent(event string, fixture *state.Fixture, d *differences) {
	announced := f.known(event) != nil
	if fixture.Known != announced {
		d.add(Wrong, "fixture %s is announced in the table: %v, on the topic: %v", event, fixture.Known, announced)
		return
	}
	got, want := Canonical(fixture.Patch), Canonical(map[string]any{})
	if e := f.Events[event]; announced {
		got, want = Canonical(fixture.Event), Canonical(e.Fields)
	} else if e != nil {
		want = Canonical(e.Changes)
	}
	if got != want {
		d.add(Wrong, "fixture %s\n  table %s\n  topic %s", event, got, want)
	}
}

// compare compares all that the fixture counts, where it has counted any leg.
func (w *demand) compare(event string, fixture *state.Fixture, d *differences) {
	if len(w.times) == 0 {
		return
	}
	what, last := "fixture "+event, slices.Max(w.times)
	if first := slices.Min(w.times); fixture.FirstBet != first {
		d.add(Wrong, "%s: first bet on at %d, must be %d", what, fixture.FirstBet, first)
	}
	d.sum(what+", popularity", faded(fixture.Popularity.Sum, last-fixture.Popularity.At, popularityHalfLife), w.faded(popularityHalfLife))
	if len(fixture.Paces) != len(paceHalfLives) {
		d.add(Wrong, "%s: %d paces, must be %d", what, len(fixture.Paces), len(paceHalfLives))
		return
	}
	for i, halfLife := range paceHalfLives {
		d.sum(fmt.Sprintf("%s, pace of %v s", what, halfLife), faded(fixture.Paces[i].Sum, last-fixture.Paces[i].At, halfLife), w.faded(halfLife))
	}
	outcomes := make([]counted[outcome], len(fixture.Outcomes))
	for i, o := range fixture.Outcomes {
		outcomes[i] = counted[outcome]{outcome{o.Market, o.Outcome}, o.Bets}
	}
	compareList(what+", outcome", outcomes, w.outcomes, state.MaxOutcomes, d)
	neighbours := make([]counted[uint64], len(fixture.Neighbours))
	for i, n := range fixture.Neighbours {
		neighbours[i] = counted[uint64]{n.Event, n.Weight}
	}
	compareList(what+", neighbour", neighbours, w.neighbours, state.MaxNeighbours, d)
}

// counted is one entry of a bounded list.
type counted[K comparable] struct {
	key   K
	count uint64
}

// compareList compares a list that holds the largest counts first. It holds all
// counts as they are, unless there are more than it has room for: then it is full,
// and what left it and came back has lost of its count, so that each is as large as it
// must be at most.
func compareList[K comparable](what string, got []counted[K], want map[K]uint64, most int, d *differences) {
	if !slices.IsSortedFunc(got, func(a, b counted[K]) int { return cmp.Compare(b.count, a.count) }) {
		d.add(Wrong, "%s: the largest do not come first: %v", what, got)
	}
	if n := min(len(want), most); len(got) < n {
		d.add(Lost, "%s: %d are in the list, must be %d", what, len(got), n)
	} else if len(got) > n {
		d.add(Wrong, "%s: %d are in the list, must be %d", what, len(got), n)
	}
	seen := map[K]bool{}
	for _, entry := range got {
		if seen[entry.key] {
			d.add(Wrong, "%s %v is in the list twice", what, entry.key)
		}
		seen[entry.key] = true
		if must := want[entry.key]; entry.count > must || entry.count < must && len(want) <= most {
			d.add(Wrong, "%s %v: %d, must be %d", what, entry.key, entry.count, must)
		}
	}
}

// chunks decodes the parts of fixtures' values that hold waiting legs, by event.
func (f *Facts) chunks(values map[string][]byte, d *differences) map[string][]*state.Chunk {
	all := map[string][]*state.Chunk{}
	for key, value := range values {
		whole, _, isPart := topics.SplitPartKey(key)
		event, ours := strings.CutPrefix(whole, f.Company+"/")
		if !isPart || !ours {
			continue
		}
		chunk, err := state.UnmarshalChunk(value)
		if err != nil {
			d.add(Wrong, "a chunk of fixture %s: %v", event, err)
			continue
		}
		all[event] = append(all[event], chunk)
	}
	return all
}

// compareWaiting compares the legs that wait for their event: until it is announced,
// all of them. After that only the learning of their bettors counts: how many had to
// wait depends on the order of arrival, and a leg that a former owner sent may come to
// a chunk when the leg's repeat has had its event already.
func (f *Facts) compareWaiting(event string, fixture *state.Fixture, chunks []*state.Chunk, w *demand, d *differences) {
	what, announced := "legs that wait for fixture "+event, f.known(event) != nil
	wait := map[waiting]bool{}
	for _, chunk := range chunks {
		for _, leg := range chunk.Legs {
			wait[waiting{leg.UserID, leg.Coupon, leg.Index}] = true
		}
		if chunk.Released && !announced {
			d.add(Wrong, "%s: they are released", what)
		}
	}
	for leg := range wait {
		if !w.waiting[leg] {
			d.add(Wrong, "%s: nobody made the bet %v", what, leg)
		}
	}
	all := uint64(len(w.waiting))
	if !announced {
		d.count(what, uint64(len(wait)), all)
		d.count(what+", by its own count", fixture.Waiters, all)
	} else if fixture.Waiters > all {
		d.add(Wrong, "%s: %d have waited, of %d", what, fixture.Waiters, all)
	}
}
