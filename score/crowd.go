package score

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// homeTaste is the taste of the bettors of one country, scaled as [landmark] says.
type homeTaste struct {
	all float64
	of  []float64 // by category
}

func (x *Index) home(country uint32) *homeTaste {
	h := x.homes[country]
	if h == nil {
		h = new(homeTaste)
		x.homes[country] = h
	}
	return h
}

func (h *homeTaste) add(category int32, weight float64) {
	for int(category) >= len(h.of) {
		h.of = append(h.of, 0)
	}
	h.of[category] += weight
}

// Bounds of what is kept of who bet on what lately.
const (
	trailLength = 30
	visitsKept  = 100
)

// trail is the last events of one bettor, newest first.
type trail []int32

// visit is a bettor's bet on an event.
type visit struct {
	bettor int32
	at     int64
}

// putTrail notes a bettor's last events, and him among the last bettors of each.
func (x *Index) putTrail(b *Bettor) {
	if b == nil || len(b.Bets) == 0 {
		return
	}
	n, known := x.bettors[b.User.ID]
	if !known {
		n = int32(len(x.trails))
		x.bettors[b.User.ID] = n
		x.trails = append(x.trails, nil)
	}
	old := x.trails[n]
	fresh := make(trail, 0, min(trailLength, len(old)+4))
	for i := len(b.Bets) - 1; i >= 0 && len(fresh) < trailLength; i-- {
		for j := len(b.Bets[i].Legs) - 1; j >= 0 && len(fresh) < trailLength; j-- {
			slot := x.slot(b.Bets[i].Legs[j].Event)
			if slices.Contains(fresh, slot) {
				continue
			}
			fresh = append(fresh, slot)
			if !slices.Contains(old, slot) {
				x.entries[slot].trails++
				x.entries[slot].addVisit(visit{n, b.Bets[i].At})
			}
		}
	}
	x.trails[n] = fresh
	for _, slot := range old {
		if !slices.Contains(fresh, slot) {
			x.entries[slot].trails--
			x.drop(slot)
		}
	}
}

// addVisit keeps the newest visits, newest last.
func (e *entry) addVisit(v visit) {
	i := len(e.visits)
	for i > 0 && (e.visits[i-1].at > v.at || e.visits[i-1].at == v.at && e.visits[i-1].bettor > v.bettor) {
		i--
	}
	if len(e.visits) == visitsKept {
		if i == 0 {
			return
		}
		copy(e.visits, e.visits[1:i])
		e.visits[i-1] = v
		return
	}
	e.visits = slices.Insert(e.visits, i, v)
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
var hotBy = [hotLists]int{0, 2, 3, 4}

// heats are the half-lives of an event's bets, from the shortest on.
const heats = paces + 1

var heatHalfLives = [heats]time.Duration{paceHalfLives[0], paceHalfLives[1], PopularityHalfLife, paceHalfLives[2], paceHalfLives[3]}

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

// list puts an open event into the lists of its league and teams, or takes it out.
func (x *Index) list(slot int32, open bool) {
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
			if math.IsInf(h.heat, -1) || len(list) == hotMost && list[hotMost-1].heat >= h.heat {
				continue
			}
			if len(list) < hotMost {
				list = append(list, h)
			}
			i = len(list) - 1
		}
		list[i] = h
		for ; i > 0 && cmp.Less(list[i-1].heat, list[i].heat); i-- {
			list[i-1], list[i] = list[i], list[i-1]
		}
		x.hot[k] = list
	}
}

// cool takes an event that is not open any more out of the hot lists.
func (x *Index) cool(slot int32) {
	for k, list := range x.hot {
		if i := slices.IndexFunc(list, func(o hotEvent) bool { return o.slot == slot }); i >= 0 {
			x.hot[k] = slices.Delete(list, i, i+1)
		}
	}
}
