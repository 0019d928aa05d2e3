package state

import (
	"cmp"
	"math"
	"slices"

	"tipoff"
)

// Bounds of a fixture's state.
const (
	MaxNeighbours   = 128
	MaxOutcomes     = 16
	WaitersPerChunk = 64 // legs that wait for one event are kept in chunks
)

// PairUnit is the weight of a pair whose second bet followed at once; each bet
// between them multiplies it by [pairLag]. Weights are whole numbers, so that sums
// do not depend on order.
const (
	PairUnit = 1 << 16
	pairLag  = 0.7
)

var pairWeights = func() (weights [HistoryForPairs]uint64) {
	for lag := range weights {
		weights[lag] = uint64(math.Round(PairUnit * math.Pow(pairLag, float64(lag))))
	}
	return weights
}()

// Fixture is what is known of one event of one company: the event as posted and
// how it is bet on. A fixture may be bet on before it is posted.
type Fixture struct {
	Epoch uint64 // of the processor that wrote this value
	Known bool   // posted
	Event tipoff.Event
	Patch tipoff.EventPatch // of an event that is not posted yet
	// Covered is the digest of the first post, where patches that came before it stand
	// over it and nothing has come since; 0: none do.
	Covered uint64

	Events  Position  // on the events' topic
	First   Position  // where the event was posted first
	Applied []Applied // legs counted, by partition of coupons

	LegCount   uint64
	FirstBet   int64              // Unix seconds, 0 before the first leg
	Popularity Decayed            // [PopularityHalfLife]
	Paces      [PaceCount]Decayed // [PaceHalfLives]
	Outcomes   []OutcomeBets      // most chosen first
	Neighbours []Neighbour        // heaviest first
	Waiters    uint64             // legs that came before the event
	Gone       uint64             // chunks, the first ones, whose legs have expired

	Step   Step  // on its way out, while it is not posted
	Waited int64 // since when by the broker's clock, Unix seconds: since that step, or the last leg
}

// OutcomeBets are the bets on one outcome of an event, where bets name it.
type OutcomeBets struct {
	Market, Outcome string
	Bets            uint64
}

// Neighbour is an event that the same users bet on before this one. The pair's
// weight is Weight / [PairUnit] (item-item collaborative filtering with
// increments: Huang et al., TencentRec, SIGMOD 2015).
type Neighbour struct {
	Event  uint64 // [tipoff.EventRef]
	Weight uint64
}

// Post sets the event to a post of it, and returns whether that is new. Patches that came
// before the event change it at once.
func (f *Fixture) Post(e tipoff.Event, at Position) bool {
	if !f.Events.Advance(at) {
		return false
	}
	if !f.Known {
		f.Event, f.Covered = f.Patch.Announce(e)
		f.Known, f.First, f.Patch = true, at, tipoff.EventPatch{}
	} else if f.Covered == 0 || f.Covered != e.Digest() {
		f.Event.Replace(e)
		f.Covered = 0
	}
	return true
}

// Change applies a patch and returns whether it is new.
func (f *Fixture) Change(p tipoff.EventPatch, at Position) bool {
	if !f.Events.Advance(at) {
		return false
	}
	if f.Covered = 0; f.Known {
		p.Apply(&f.Event)
	} else {
		f.Patch.Merge(p)
	}
	return true
}

// Traits are what the fixture's event adds to a taste.
func (f *Fixture) Traits() Traits { return TraitsOf(&f.Event) }

// TraitsOf are what an event adds to a taste.
func TraitsOf(e *tipoff.Event) Traits { return TraitsIn(nil, e) }

// TraitsIn is [TraitsOf] with its teams in a slice of the caller's, if they fit.
func TraitsIn(teams []uint32, e *tipoff.Event) Traits {
	t := Traits{
		Event:  tipoff.EventRef(e.ID),
		Begin:  e.Begin.Unix(),
		Sport:  Name(e.Sport),
		League: Name(e.Sport, e.League),
		Teams:  teams[:0],
	}
	for _, team := range e.Participants {
		if name := Name(e.Sport, team); !slices.Contains(t.Teams, name) {
			t.Teams = append(t.Teams, name)
		}
	}
	return t
}

// findApplied finds which legs of the cause's partition are counted, or where that
// is to be added.
func (f *Fixture) findApplied(c *Cause) (i int, known bool) {
	return slices.BinarySearchFunc(f.Applied, c, func(a Applied, c *Cause) int {
		return cmp.Or(cmp.Compare(a.Partition, c.Partition), cmp.Compare(a.Source, c.Source))
	})
}

// applied is which legs of the cause's partition are counted.
func (f *Fixture) applied(c *Cause) *Applied {
	i, known := f.findApplied(c)
	if !known {
		f.Applied = slices.Insert(f.Applied, i, Applied{Partition: c.Partition, Source: c.Source})
	}
	return &f.Applied[i]
}

// Count counts a leg, once, and returns whether it is new.
func (f *Fixture) Count(leg *Leg) bool {
	if !f.applied(&leg.Cause).add(leg.Cause) {
		return false
	}
	if f.LegCount == 0 || leg.At < f.FirstBet {
		f.FirstBet = leg.At
	}
	f.LegCount++
	f.Popularity.Add(1, leg.At, PopularityHalfLife)
	for i := range f.Paces {
		f.Paces[i].Add(1, leg.At, PaceHalfLives[i])
	}
	if leg.Outcome != "" {
		f.addOutcome(leg.Market, leg.Outcome)
	}
	for lag, event := range leg.History {
		if lag < len(pairWeights) {
			f.addNeighbour(event, pairWeights[lag])
		}
	}
	if !f.Known {
		f.Waiters++
	}
	return true
}

// Without is the fixture as it was without a leg that it has counted, as far as it
// matters to ranking; the fixture itself where it has not. What left a full list does
// not come back.
func (f *Fixture) Without(leg *Leg) *Fixture {
	if i, known := f.findApplied(&leg.Cause); !known || f.LegCount == 0 || !f.Applied[i].has(&leg.Cause) {
		return f
	}
	less := *f
	less.LegCount--
	if less.LegCount == 0 {
		less.FirstBet, less.Popularity, less.Paces = 0, Decayed{}, [PaceCount]Decayed{}
	} else {
		less.Popularity.Add(-1, leg.At, PopularityHalfLife)
		for i := range less.Paces {
			less.Paces[i].Add(-1, leg.At, PaceHalfLives[i])
		}
	}
	less.Neighbours = slices.Clone(f.Neighbours)
	for lag, event := range leg.History {
		i := slices.IndexFunc(less.Neighbours, func(n Neighbour) bool { return n.Event == event })
		if i >= 0 && lag < len(pairWeights) {
			less.Neighbours[i].Weight -= min(less.Neighbours[i].Weight, pairWeights[lag])
		}
	}
	less.Neighbours = slices.DeleteFunc(less.Neighbours, func(n Neighbour) bool { return n.Weight == 0 })
	return &less
}

// Chunk is where a leg waits while the event is not known: one that was just counted
// with the others that came last. Where a leg that came before waits is not known any
// more; such legs are spread over all chunks, so that none grows beyond its bound
// when all are delivered again.
func (f *Fixture) Chunk(leg *Leg, isNew bool) uint64 {
	if isNew {
		return (max(1, f.Waiters) - 1) / WaitersPerChunk
	}
	return (leg.Coupon>>16 + uint64(leg.Index)) % max(1, f.Chunks())
}

// Chunks is how many chunks hold waiting legs.
func (f *Fixture) Chunks() uint64 { return (f.Waiters + WaitersPerChunk - 1) / WaitersPerChunk }

// Resolve returns the message back to a leg's bettor, with the attributes of its event.
func Resolve(leg *Leg, t Traits) *Resolved {
	return &Resolved{Coupon: leg.Coupon, Index: leg.Index, At: leg.At, Odds: leg.Odds, Market: leg.Market, Traits: t}
}

func (f *Fixture) addOutcome(market, outcome string) {
	i := slices.IndexFunc(f.Outcomes, func(o OutcomeBets) bool { return o.Market == market && o.Outcome == outcome })
	if i < 0 {
		i = len(f.Outcomes)
		f.Outcomes = append(f.Outcomes, OutcomeBets{Market: market, Outcome: outcome})
	}
	f.Outcomes[i].Bets++
	for ; i > 0 && f.Outcomes[i-1].Bets < f.Outcomes[i].Bets; i-- {
		f.Outcomes[i-1], f.Outcomes[i] = f.Outcomes[i], f.Outcomes[i-1]
	}
	f.Outcomes = f.Outcomes[:min(len(f.Outcomes), MaxOutcomes)]
}

// addNeighbour adds to a pair. A newcomer to a full list replaces the lightest one, so
// that a new favourite can rise.
func (f *Fixture) addNeighbour(event, weight uint64) {
	i := slices.IndexFunc(f.Neighbours, func(n Neighbour) bool { return n.Event == event })
	switch {
	case i >= 0:
	case len(f.Neighbours) < MaxNeighbours:
		i = len(f.Neighbours)
		f.Neighbours = append(f.Neighbours, Neighbour{Event: event})
	default:
		i = len(f.Neighbours) - 1
		f.Neighbours[i] = Neighbour{Event: event}
	}
	f.Neighbours[i].Weight += weight
	for ; i > 0 && f.Neighbours[i-1].Weight < f.Neighbours[i].Weight; i-- {
		f.Neighbours[i-1], f.Neighbours[i] = f.Neighbours[i], f.Neighbours[i-1]
	}
}
