package rank

import (
	"math"
	"slices"
	"time"

	"tipoff"
	"tipoff/state"
)

// Index holds the fixtures of one company ready for ranking, and the crowd's
// taste. It is not safe for concurrent use: its owner locks.
//
// Every fixture has a slot, a small number that stays with it, so that ranking
// walks slices and looks nothing up. A fixture that has begun leaves the open
// ones but keeps its slot: it still tells what its bettors bet on next.
type Index struct {
	entries []entry
	// Apart from the entries, as a question asks hundreds of events for them; by slot.
	rootLegs []float32 // square root of the legs
	glances  []glance
	teams    []twoTeams
	isOpen   []bool           // among the open ones
	slots    map[uint64]int32 // by [tipoff.EventRef]
	free     []int32
	open     []int32 // slots of posted events that were open when last looked at
	posted   uint64  // how often an event came that was not here

	categories []category
	logs       []float32             // by category: logarithm of what the crowd bets on it
	ids        map[categoryKey]int32 // into categories
	crowd      float64               // the crowd's weight in all, as [category.crowd]
	bets       uint64                // by everyone, ever

	bettors       map[string]*Bettor
	trails        [][]trail // in blocks of [trailBlock]
	trailCount    int32     // used ever
	gone          []int32   // trails that are free again
	swept, paired int32     // the trail, the fixture that was looked at last
	clock         int64     // of the last [Index.Begin], Unix microseconds
	hot           [hotLists]hotList
	timed         timing               // of the last [Index.Refresh]
	homes         map[uint32][]float32 // by [state.Name] of a country, then by slot; see [Index.keepHomes]

	puts         uint64 // states of bettors, ever
	userBytes    []byte // memory of PutBettor
	tastesBefore []int32
	legsBefore   []legBet
	oldWeights   map[int32]float32 // memory of setNeighbours
}

type entry struct {
	ref       uint64
	begin     int64 // Unix microseconds
	openIndex int32 // index in open; -1: not there
	sport     int32 // into categories
	league    int32
	named     struct{ sport, league, country uint32 } // [state.Name]s, for filters
	teams     []int32
	countries countries

	event    *tipoff.Offered // nil: not posted, known as a neighbour only
	legCount float64
	pop      state.Decayed
	heats    [heats]heat
	first    int64 // Unix seconds of the first bet known here; 0: none
	visits   visits
	held     int32 // how many bets of bettors, and trails, name this event
	outcomes []state.OutcomeBets
	before   []edge // events bet on before this one: its own pairs
	after    []edge // the reverse: events whose before names this one
	ahead    []pair // of both, those that may be open
	isAhead  bool   // it is in the lists ahead of those that it pairs with
}

// NewIndex returns an index without fixtures.
func NewIndex() *Index {
	return &Index{
		slots: map[uint64]int32{}, ids: map[categoryKey]int32{}, bettors: map[string]*Bettor{}, oldWeights: map[int32]float32{},
		homes: map[uint32][]float32{},
	}
}

// Len is how many fixtures the index holds, and how many of them were open when
// last looked at.
func (x *Index) Len() (all, open int) { return len(x.slots), len(x.open) }

// slot returns the slot of an event; a new one where it has none.
func (x *Index) slot(ref uint64) int32 {
	if slot, ok := x.slots[ref]; ok {
		return slot
	}
	var slot int32
	if last := len(x.free) - 1; last >= 0 {
		slot = x.free[last]
		x.free = x.free[:last]
	} else {
		slot = int32(len(x.entries))
		x.entries, x.rootLegs, x.isOpen = append(x.entries, entry{}), append(x.rootLegs, 0), append(x.isOpen, false)
		x.glances, x.teams = append(x.glances, glance{}), append(x.teams, twoTeams{})
	}
	x.entries[slot], x.rootLegs[slot], x.isOpen[slot] = entry{ref: ref, openIndex: -1}, 0, false
	x.slots[ref] = slot
	return slot
}

// drop frees a slot that nothing needs any more.
func (x *Index) drop(slot int32) {
	e := &x.entries[slot]
	if e.event != nil || len(e.before) > 0 || len(e.after) > 0 || e.countries.used > 0 || e.legCount > 0 || e.held > 0 {
		return
	}
	delete(x.slots, e.ref)
	x.entries[slot] = entry{openIndex: -1}
	x.free = append(x.free, slot)
}

// PutFixture sets the newest state of a fixture. The index keeps parts of f,
// which must not change afterwards. Nothing is kept of one whose event is not posted:
// it cannot be shown, and whoever posts bets may name as many as he likes.
func (x *Index) PutFixture(ref uint64, f *state.Fixture, now time.Time) {
	if !f.Known {
		return
	}
	slot := x.slot(ref)
	x.setNeighbours(slot, f.Neighbours)
	e := &x.entries[slot]
	e.legCount = float64(f.LegCount)
	if len(f.Outcomes) != len(e.outcomes) {
		for _, o := range f.Outcomes {
			x.category(kindMarket, state.Name(o.Market), o.Market)
		}
	}
	x.rootLegs[slot] = float32(math.Sqrt(e.legCount))
	e.pop, e.outcomes = f.Popularity, f.Outcomes
	e.heats = [heats]heat{
		heatOf(f.Paces[0], state.PaceHalfLives[0]), heatOf(f.Paces[1], state.PaceHalfLives[1]), heatOf(f.Paces[2], state.PaceHalfLives[2]),
		heatOf(f.Popularity, state.PopularityHalfLife), heatOf(f.Paces[3], state.PaceHalfLives[3]), heatOf(f.Paces[4], state.PaceHalfLives[4]),
	}
	e.first = f.FirstBet
	event := &f.Event
	if e.begin != event.Begin.UnixMicro() {
		x.setOpen(slot, false) // it stands elsewhere in the lists that go by beginning
	}
	if e.event == nil || e.event.Sport != event.Sport || e.event.League != event.League ||
		!slices.Equal(e.event.Participants, event.Participants) {
		x.setOpen(slot, false)
		e.sport = x.category(kindSport, state.Name(event.Sport), event.Sport)
		e.league = x.category(kindLeague, state.Name(event.Sport, event.League), event.League)
		e.named.sport, e.named.league = state.Name(event.Sport), state.Name(event.League)
		e.teams = e.teams[:0:0]
		for _, team := range event.Participants {
			if id := x.category(kindTeam, state.Name(event.Sport, team), team); !slices.Contains(e.teams, id) {
				e.teams = append(e.teams, id)
			}
		}
	}
	e.named.country = state.Name(event.Country)
	if e.event == nil {
		x.posted++
	}
	if e.begin = event.Begin.UnixMicro(); e.event == nil || !e.event.Event.Equal(event) {
		e.event = tipoff.Offer(event, e.event)
	}
	if x.setOpen(slot, event.Open(now)); e.openIndex >= 0 {
		x.updateHot(slot)
	}
	if e.openIndex < 0 && e.begin <= now.UnixMicro() {
		e.isAhead = false
	}
	x.refresh(slot)
}

// RemoveFixture forgets a fixture.
func (x *Index) RemoveFixture(ref uint64) {
	slot, ok := x.slots[ref]
	if !ok {
		return
	}
	x.setOpen(slot, false)
	x.setNeighbours(slot, nil)
	e := &x.entries[slot]
	e.event, e.legCount, e.countries, e.outcomes, e.visits, e.isAhead = nil, 0, countries{}, nil, visits{}, false
	x.rootLegs[slot] = 0
	x.drop(slot)
}

// Begin takes every event that has begun by now out of the open ones.
func (x *Index) Begin(now time.Time) {
	micros := now.UnixMicro()
	x.clock = micros
	x.sweepTrails(64)
	x.sweepPairs(4)
	for i := len(x.open) - 1; i >= 0; i-- {
		if slot := x.open[i]; x.entries[slot].begin <= micros {
			x.setOpen(slot, false)
			x.entries[slot].isAhead = false
		}
	}
}

// Sweep notes of a part of all trails and pairs which of their events have begun, so that
// questions need not look at them.
func (x *Index) Sweep() {
	x.sweepTrails(4096)
	x.sweepPairs(256)
}

func (x *Index) setOpen(slot int32, open bool) {
	e := &x.entries[slot]
	x.isOpen[slot] = open
	switch {
	case open && e.openIndex < 0:
		e.openIndex = int32(len(x.open))
		x.open = append(x.open, slot)
		x.listOpen(slot, true)
		x.lead(slot)
		x.keepHomes(slot)
	case !open && e.openIndex >= 0:
		last := x.open[len(x.open)-1]
		x.open[e.openIndex] = last
		x.entries[last].openIndex = e.openIndex
		x.open = x.open[:len(x.open)-1]
		e.openIndex = -1
		x.removeHot(slot)
		x.listOpen(slot, false)
	}
}

// Event is a posted event, or nil.
func (x *Index) Event(ref uint64) *tipoff.Event {
	if slot, ok := x.slots[ref]; ok && x.entries[slot].event != nil {
		return &x.entries[slot].event.Event
	}
	return nil
}

// Posted counts the events that came and were not here.
func (x *Index) Posted() uint64 { return x.posted }

// Offers says whether an event that was answered with is still what it was, and open at
// now.
func (x *Index) Offers(event *tipoff.Offered, now time.Time) bool {
	slot, ok := x.slots[tipoff.EventRef(event.ID)]
	return ok && x.entries[slot].event == event && event.Open(now)
}

// OpenEvents calls visit for every event that is open at now, in no order.
func (x *Index) OpenEvents(now time.Time, visit func(*tipoff.Event)) {
	for _, slot := range x.open {
		if event := x.entries[slot].event; event.Open(now) {
			visit(&event.Event)
		}
	}
}
