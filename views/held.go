package views

import (
	"time"

	"tipoff"
)

// Held says what is in memory of an event: its neighbours, and what the index has of it,
// nil where it is not open. false: the event is not known here.
func (v *Views) Held(company, event string, now time.Time) (near []tipoff.Neighbour, held *tipoff.HeldEvent, known bool) {
	c := v.company(company)
	if c == nil {
		return []tipoff.Neighbour{}, nil, false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	found := c.index.Event(tipoff.EventRef(event))
	return c.index.Neighbours(event, tipoff.MaxNeighbours, now), c.index.Held(event, now), found != nil && found.ID == event
}
