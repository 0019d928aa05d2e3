package score

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Bounds of what is kept of who bet on what lately.
const (
	trailLength = 30
	visitsKept  = 100
)

// trail is the last events of one bettor, newest first.
type trail struct {
	ref    uint64 // hash of the bettor's id
	events []int32
	at     []int64 // when each was bet on, Unix seconds
}

// visit is a bettor's bet on an event.
type visit struct {
	ref    uint64
	at     int64 // Unix seconds
	bettor int32 // into trails
}

// compare orders by time, then by bettor.
func (v visit) compare(other visit) int {
	return cmp.Or(cmp.Compare(v.at, other.at), cmp.Compare(v.ref, other.ref))
}

// putTrail notes a bettor's last events, and him among the last bettors of each.
func (x *Index) putTrail(old, fresh *Bettor) {
	b := cmp.Or(fresh, old)
	if b == nil {
		return
	}
	n, known := x.bettors[b.User.ID]
	if !known {
		if fresh == nil || len(fresh.Bets) == 0 {
			return
		}
		n = int32(len(x.trails))
		if last := len(x.gone) - 1; last >= 0 {
			n, x.gone = x.gone[last], x.gone[:last]
		} else {
			x.trails = append(x.trails, trail{})
		}
		x.bettors[b.User.ID] = n
		x.trails[n].ref = xxhash.Sum64String(b.User.ID)
	}
	t := &x.trails[n]
	was := *t
	t.events, t.at = nil, nil
	if fresh != nil {
		size := min(trailLength, len(was.events)+4)
		t.events, t.at = make([]int32, 0, size), make([]int64, 0, size)
		x.fillTrail(t, &was, fresh, n)
	}
	for _, slot := range was.events {
		if !slices.Contains(t.events, slot) {
			e := &x.entries[slot]
			e.visits = slices.DeleteFunc(e.visits, func(v visit) bool { return v.bettor == n })
			e.trails--
			x.drop(slot)
		}
	}
	if fresh == nil {
		delete(x.bettors, b.User.ID)
		x.gone = append(x.gone, n)
	}
}

func (x *Index) fillTrail(t, was *trail, b *Bettor, n int32) {
	for i := len(b.Bets) - 1; i >= 0; i-- {
		for j := len(b.Bets[i].Legs) - 1; j >= 0; j-- {
			if len(t.events) == trailLength {
				return
			}
			slot := x.slot(b.Bets[i].Legs[j].Event)
			if slices.Contains(t.events, slot) {
				continue
			}
			t.events, t.at = append(t.events, slot), append(t.at, b.Bets[i].At)
			old := slices.Index(was.events, slot)
			if old < 0 {
				x.entries[slot].trails++
			}
			if old < 0 || was.at[old] != b.Bets[i].At {
				x.entries[slot].addVisit(visit{t.ref, b.Bets[i].At, n})
			}
		}
	}
}

// addVisit keeps the newest visits, one a bettor, newest last.
func (e *entry) addVisit(v visit) {
	if i := slices.IndexFunc(e.visits, func(o visit) bool { return o.bettor == v.bettor }); i >= 0 {
		if e.visits[i].at == v.at {
			return
		}
		e.visits = slices.Delete(e.visits, i, i+1)
	}
	i := len(e.visits)
	for i > 0 && e.visits[i-1].compare(v) > 0 {
		i--
	}
	if len(e.visits) < visitsKept {
		e.visits = slices.Insert(e.visits, i, v)
	} else if i > 0 {
		copy(e.visits, e.visits[1:i])
		e.visits[i-1] = v
	}
}

// hotList are the open events most bet on by one half-life, hottest first. Their
// order changes with bets only, as all fade alike.
type hotList []hotEvent

type hotEvent struct {
	slot int32
	heat float64 // logarithm of the bets, as of [landmark]
}

const (
	hotLists = 4
	hotMost  = 100
)

// hotBy is which half-life each hot list goes by.
var hotBy = [hotLists]int{1, 3, 4, 5}

// heats are the half-lives of an event's bets, from the shortest on.
const heats = paces + 1

var heatHalfLives = [heats]time.Duration{paceHalfLives[0], paceHalfLives[1], paceHalfLives[2], PopularityHalfLife, paceHalfLives[3], paceHalfLives[4]}

// heat is a [Decayed] number of bets as its binary logarithm: as of [landmark], so
// that a half-life takes 1 off it, and at its newest bet, which it does not exceed.
type heat struct {
	mark float64
	most float32
}

func heatOf(d Decayed, halfLife time.Duration) heat {
	if d.Sum <= 0 {
		return heat{math.Inf(-1), -200}
	}
	most := math.Log2(d.Sum)
	return heat{most + float64(d.At-landmark)/halfLife.Seconds(), float32(most)}
}

// enlist puts an open event into the lists of its league and teams, or takes it out.
func (x *Index) enlist(slot int32, open bool) {
	e := &x.entries[slot]
	change := func(id int32) {
		c := &x.categories[id]
		if open {
			c.open = append(c.open, slot)
		} else if i := slices.Index(c.open, slot); i >= 0 {
			c.open[i] = c.open[len(c.open)-1]
			c.open = c.open[:len(c.open)-1]
		}
	}
	change(e.league)
	for _, team := range e.teams {
		change(team)
	}
}

// heat puts an open event into its places of the hot lists.
func (x *Index) heat(slot int32) {
	for k := range x.hot {
		list := x.hot[k]
		h := hotEvent{slot, x.entries[slot].heats[hotBy[k]].mark}
		i := slices.IndexFunc(list, func(o hotEvent) bool { return o.slot == slot })
		if i < 0 {
			if math.IsInf(h.heat, -1) || len(list) == hotMost && !x.hotter(h, list[hotMost-1]) {
				continue
			}
			if len(list) < hotMost {
				list = append(list, h)
			}
			i = len(list) - 1
		}
		list[i] = h
		for ; i > 0 && x.hotter(list[i], list[i-1]); i-- {
			list[i-1], list[i] = list[i], list[i-1]
		}
		x.hot[k] = list
	}
}

// hotter orders a hot list; of equals by event, never by chance.
func (x *Index) hotter(a, b hotEvent) bool {
	return cmp.Or(cmp.Compare(a.heat, b.heat), cmp.Compare(x.entries[b.slot].ref, x.entries[a.slot].ref)) > 0
}

// cool takes an event that is not open any more out of the hot lists.
func (x *Index) cool(slot int32) {
	for k, list := range x.hot {
		if i := slices.IndexFunc(list, func(o hotEvent) bool { return o.slot == slot }); i >= 0 {
			x.hot[k] = slices.Delete(list, i, i+1)
		}
	}
}
