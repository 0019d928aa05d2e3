package rank

import (
	"cmp"
	"slices"
	"time"

	"tipoff"
)

// Neighbours are the open events that most of the same bettors bet on as on the one
// named, nearest first, so many at the most.
func (x *Index) Neighbours(event string, most int, now time.Time) []tipoff.Neighbour {
	near := []tipoff.Neighbour{}
	slot, known := x.slots[tipoff.EventRef(event)]
	if !known || x.entries[slot].event == nil || x.entries[slot].event.ID != event {
		return near
	}
	for _, p := range x.entries[slot].ahead {
		other := x.entries[p.slot].event
		if !x.isOpen[p.slot] || !other.Open(now) {
			continue
		}
		// As [ranking.preparePairs] weighs a bettor's last event.
		cos := (p.before + p.after) / (x.rootLegs[p.slot]*x.rootLegs[slot] + pairPrior)
		near = append(near, tipoff.Neighbour{Event: other, Weight: round(float64(cos))})
	}
	slices.SortFunc(near, func(a, b tipoff.Neighbour) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Event.ID, b.Event.ID))
	})
	return near[:min(len(near), most)]
}

// Held is what the index has of an open event; nil: it is not open at now.
func (x *Index) Held(event string, now time.Time) *tipoff.HeldEvent {
	slot, known := x.slots[tipoff.EventRef(event)]
	if !known {
		return nil
	}
	e := &x.entries[slot]
	if e.event == nil || e.event.ID != event || e.openIndex < 0 || !e.event.Open(now) {
		return nil
	}
	h := &tipoff.HeldEvent{Bets: uint64(e.legCount), Bettors: len(e.visits.bettors), Open: true}
	if e.first != 0 {
		first := time.Unix(e.first, 0).UTC()
		h.FirstBet = &first
	}
	for _, v := range e.visits.bets {
		if at := time.Unix(landmark+int64(v.at), 0).UTC(); h.LastBet == nil || at.After(*h.LastBet) {
			h.LastBet = &at
		}
	}
	return h
}
