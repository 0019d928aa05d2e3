package rank

import (
	"testing"
	"time"

	"tipoff"
)

func TestNeighbours_AreTheOpenEventsOfTheSameBettors(t *testing.T) {
	w := newWorld()
	for _, id := range []string{"a", "near", "far", "closed", "alone"} {
		w.post(event(id, "L", noon.Add(time.Hour)))
	}
	w.post(event("begun", "L", noon.Add(-time.Hour)))
	for _, user := range []string{"u", "v", "w"} {
		w.bet(user, noon.Add(-3*time.Minute), "near")
		w.bet(user, noon.Add(-2*time.Minute), "a")
		w.bet(user, noon.Add(-time.Minute), "closed", "begun")
	}
	w.bet("x", noon.Add(-time.Minute), "a", "far")
	w.patch("closed", tipoff.EventPatch{Status: tipoff.StatusSuspended})
	near := w.index.Neighbours("a", 5, noon)
	if len(near) != 2 || near[0].Event.ID != "near" || near[1].Event.ID != "far" || near[0].Weight <= near[1].Weight || near[1].Weight <= 0 || near[0].Weight > 1 {
		t.Errorf("neighbours %+v", near)
	}
	if most := w.index.Neighbours("a", 1, noon); len(most) != 1 || most[0].Event.ID != "near" {
		t.Errorf("the nearest: %+v", most)
	}
	for _, id := range []string{"alone", "unknown"} {
		if near := w.index.Neighbours(id, 5, noon); near == nil || len(near) != 0 {
			t.Errorf("of %s: %+v", id, near)
		}
	}
	h := w.index.Held("a", noon)
	if h == nil || h.Bets != 4 || h.Bettors != 4 || !h.FirstBet.Equal(noon.Add(-2*time.Minute)) || !h.LastBet.Equal(noon.Add(-time.Minute)) {
		t.Errorf("held %+v", h)
	}
	if h := w.index.Held("alone", noon); h == nil || h.Bets != 0 || h.FirstBet != nil || h.LastBet != nil {
		t.Errorf("held %+v", h)
	}
	for _, id := range []string{"closed", "begun", "unknown"} {
		if h := w.index.Held(id, noon); h != nil {
			t.Errorf("%s is held: %+v", id, h)
		}
	}
}
