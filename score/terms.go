package score

import (
	"math"

	"tipoff"
)

// The terms of a score: numbers of about -3..3 that say what speaks for an event.
const (
	termPop20m = iota
	termPop2h
	termPop6h
	termPop2d
	termPop30d
	termPopEver
	termHome
	termSoon1
	termSoon6
	termSoon48
	termAge
	termSport
	termLeague
	termTeam
	termTeams
	termHomeLeague
	termHomeTeam
	termCrowdLeague
	termCrowdTeam
	termPairCos
	termPairGiven
	termPairLast
	termPairNext
	termNear
	termNext
	termHasPair
	termLastLeague
	termLastTeam
	termLastDay
	termUnseen
	termPairRate
	termNearRate
	termBetsLeague
	termBetsTeam
	termBetsSport
	termKeenLeague
	termKeenTeam
	Terms
)

// termNames are the terms' names, for people.
var termNames = [Terms]string{
	"popularity 20m", "popularity 2h", "popularity 6h", "popularity 2d", "popularity 30d", "popularity ever", "popularity in country",
	"begins in hours", "begins in quarters", "begins in days", "age", "sport", "league", "best team", "other teams",
	"league in country", "team in country", "league of the crowd", "team of the crowd", "pairs", "pairs given", "pairs of the last",
	"pairs after the last", "neighbours", "next of the last's bettors", "any pair", "same league as last", "same team as last", "same day as last",
	"never bet on", "pair rate", "neighbour rate",
	"bets on the league", "bets on the teams", "bets on the sport", "league, believed early", "team, believed early",
}

// Context says how much is known of the bettor; every term has a weight for each.
const (
	contextAlways = iota
	contextKnown  // how many bets
	contextFresh  // how long ago the last one was
	contextCold   // no bets at all
	Contexts
)

// found is what the bettor's past says of one event.
type found struct {
	generation             uint32
	cos, given, last, next float32
	near, after            float32
	source                 int32
	most                   float32
}

const (
	nearHistory = 6
	nearMost    = 50
	pairFade    = 0.8
)

// termSet computes the terms of events for one question.
type termSet struct {
	*Index
	*Scratch
	q          *Question
	now        int64
	micros     int64
	absent     float64
	keenAbsent float32
	country    uint32
	home       *homeTaste
	last       *entry
	context    [Contexts]float32
	nearAll    float32
	ringAll    float32
	marks      [heats]float64 // half-lives from [landmark] to now
}

func (r *termSet) prepare() {
	b := r.q.Bettor
	r.now, r.micros = r.q.Now.Unix(), r.q.Now.UnixMicro()
	for k := range r.marks {
		r.marks[k] = float64(r.now-landmark) / heatHalfLives[k].Seconds()
	}
	r.context = [Contexts]float32{contextAlways: 1}
	r.last, r.home, r.country, r.absent, r.keenAbsent = nil, nil, 0, 0, 0
	r.touched = r.touched[:0]
	if b != nil {
		r.country = b.Country()
		r.home = r.homes[r.country]
	}
	if b == nil || b.Legs == 0 {
		r.context[contextCold] = 1
		return
	}
	r.context[contextKnown] = float32(math.Min(math.Log1p(float64(b.Legs))/5, 1.2))
	if len(b.Bets) > 0 {
		gap := float64(max(0, r.now-b.Bets[len(b.Bets)-1].At))
		r.context[contextFresh] = float32(1 / (1 + gap/1800))
	}
	r.prepareLifts(b)
	r.preparePairs(b)
	r.prepareNear(b)
}

func (r *termSet) prepareLifts(b *Bettor) {
	fade := 1.0
	if r.now > b.At {
		fade = decay(r.now-b.At, TasteHalfLife)
	}
	all := b.Weight*fade + liftPrior
	r.absent = clip(math.Log(liftPrior / all))
	r.keenAbsent = ln(keenPrior / float32(b.Weight*fade+keenPrior))
	for kind, list := range [][]Affinity{b.Sports, b.Leagues, b.Teams} {
		for _, a := range list {
			if id, ok := r.ids[categoryKey{categoryKind(kind), a.Key}]; ok {
				expected := r.share(id)
				lift := clip(math.Log((a.Weight*fade + liftPrior*expected) / (all * expected)))
				r.lifts[id] = stamped{r.generation, lift}
				w := float32(a.Weight * fade)
				r.likes[id] = like2{ln1p(w), min(ln((w+keenPrior*float32(expected))/((float32(b.Weight*fade)+keenPrior)*float32(expected))), 8)}
			}
		}
	}
}

func (r *termSet) find(slot int32) *found {
	f := &r.found[slot]
	if f.generation != r.generation {
		*f = found{generation: r.generation, source: -1}
		r.touched = append(r.touched, slot)
	}
	return f
}

func (r *termSet) preparePairs(b *Bettor) {
	cos, given := float32(1), float32(1)
	for k, event := range b.last(HistoryForPairs) {
		slot, ok := r.slots[event]
		if ok {
			from := &r.entries[slot]
			if k == 0 {
				r.last = from
			}
			perGiven := given / (float32(from.legs) + 3)
			for dir, list := range [2][]edge{from.after, from.before} {
				for _, e := range list {
					f := r.find(e.slot)
					c := cos * e.weight / (r.entries[e.slot].rootLegs*from.rootLegs + pairPrior)
					f.cos += c
					f.given += perGiven * e.weight
					if k == 0 {
						f.last += c
						if dir == 0 {
							f.next += perGiven * e.weight
						}
					}
					if c > f.most {
						f.most, f.source = c, slot
					}
				}
			}
		}
		cos *= pairRead
		given *= pairFade
	}
}

// prepareNear asks who else bet on the last events, and on what (VMIS-kNN:
// Kersbergen et al., Serenade, SIGMOD 2022).
func (r *termSet) prepareNear(b *Bettor) {
	r.nearAll, r.ringAll = 0, 0
	self, known := r.bettors[b.User.ID]
	if !known {
		return
	}
	if len(r.overlap) < len(r.trails) {
		r.overlap = make([]overlap, len(r.trails)+len(r.trails)/4)
	}
	r.others = r.others[:0]
	own := r.trails[self]
	for k, slot := range own[:min(len(own), nearHistory)] {
		weight := 1 - float32(k)/nearHistory
		visits := r.entries[slot].visits
		for i := len(visits) - 1; i >= 0; i-- {
			other := visits[i].bettor
			if other == self {
				continue
			}
			o := &r.overlap[other]
			if o.generation != r.generation {
				*o = overlap{r.generation, 0}
				r.others = append(r.others, other)
			}
			o.weight += weight
			if k == 0 {
				r.ringAll++
				trail := r.trails[other]
				for j, s := range trail {
					if s != slot {
						continue
					}
					if j > 0 {
						r.find(trail[j-1]).after++
					}
					if j > 1 {
						r.find(trail[j-2]).after += .5
					}
					break
				}
			}
		}
	}
	for _, other := range r.closest() {
		w := r.overlap[other].weight
		r.nearAll += w
		for _, s := range r.trails[other] {
			r.find(s).near += w
		}
	}
}

// closest gives the bettors with the largest overlap; of equals those found first.
func (r *termSet) closest() []int32 {
	if len(r.others) <= nearMost {
		return r.others
	}
	const steps = 64
	var counts [steps]int
	step := func(o int32) int { return min(int(r.overlap[o].weight*12), steps-1) }
	for _, o := range r.others {
		counts[step(o)]++
	}
	least, n := steps-1, 0
	for ; least > 0 && n+counts[least] <= nearMost; least-- {
		n += counts[least]
	}
	kept := r.others[:0]
	room := nearMost - n
	for _, o := range r.others {
		switch s := step(o); {
		case s > least:
			kept = append(kept, o)
		case s == least && room > 0:
			kept = append(kept, o)
			room--
		}
	}
	return kept
}

type overlap struct {
	generation uint32
	weight     float32
}

// like2 is a bettor's liking of a category.
type like2 struct{ bets, keen float32 }

const keenPrior = 1

func (r *termSet) like(id int32) like2 {
	if r.lifts[id].generation == r.generation {
		return r.likes[id]
	}
	return like2{0, r.keenAbsent}
}

func (r *termSet) lift(id int32) float64 {
	if l := r.lifts[id]; l.generation == r.generation {
		return l.value
	}
	return r.absent
}

// fill computes the terms of one event.
func (r *termSet) fill(slot int32, t *[Terms]float32) {
	e := &r.entries[slot]
	*t = [Terms]float32{}
	if e.legs > 0 {
		for k := range e.heats {
			t[termPop20m+k] = ln1p(exp2(min(float32(e.heats[k].mark-r.marks[k]), e.heats[k].most))/popPrior) / 2
		}
		t[termPopEver] = ln1p(float32(e.legs)/popPrior) / 2
		t[termAge] = ln1p(float32(max(0, r.now-e.first))/3600) / 2
	} else {
		t[termUnseen] = 1
	}
	if r.country != 0 {
		t[termHome] = ln1p(float32(e.betsFrom(r.country, r.now)))
	}
	hours := float32(math.Min(float64(e.begin-r.micros)/3.6e9, 1000))
	t[termSoon1] = ln1p(hours) / 2
	t[termSoon6] = ln1p(hours / 6)
	t[termSoon48] = ln1p(hours / 48)
	t[termSport] = float32(r.lift(e.sport))
	t[termLeague] = float32(r.lift(e.league))
	t[termBetsSport] = r.like(e.sport).bets / 2
	l := r.like(e.league)
	t[termBetsLeague], t[termKeenLeague] = l.bets, l.keen/2
	for i, team := range e.teams {
		l := r.like(team)
		t[termBetsTeam] += l.bets
		if i == 0 || l.keen/2 > t[termKeenTeam] {
			t[termKeenTeam] = l.keen / 2
		}
	}
	best, sum, crowd, home := 0.0, 0.0, 1e-4, 0.0
	for i, team := range e.teams {
		l := r.lift(team)
		if i == 0 || l > best {
			best = l
		}
		sum += l
		crowd = math.Max(crowd, r.share(team))
		if r.home != nil {
			h := r.homeLift(team)
			if i == 0 || h > home {
				home = h
			}
		}
	}
	t[termTeam] = float32(best)
	if len(e.teams) > 1 {
		t[termTeams] = float32((sum - best) / float64(len(e.teams)-1))
	}
	t[termCrowdTeam] = ln(float32(crowd*100)) / 2
	t[termCrowdLeague] = ln(float32(math.Max(r.share(e.league), 1e-4)*100)) / 2
	if r.home != nil {
		t[termHomeTeam] = float32(home)
		t[termHomeLeague] = float32(r.homeLift(e.league))
	}
	if f := &r.found[slot]; f.generation == r.generation {
		t[termHasPair] = 1
		t[termPairCos] = ln1p(50 * f.cos)
		t[termPairGiven] = ln1p(200*f.given) / 2
		t[termPairLast] = ln1p(50 * f.last)
		t[termPairNext] = ln1p(200*f.next) / 2
		if f.near > 0 {
			t[termNear] = ln1p(200*f.near/r.nearAll) / 2
			t[termNearRate] = ln1p(200 * f.near / r.nearAll / (e.rootLegs + 2))
		}
		if f.after > 0 {
			t[termNext] = ln1p(100*f.after/(r.ringAll+3)) / 2
		}
		t[termPairRate] = ln1p(500 * f.given / (e.rootLegs + 2))
	}
	if r.last != nil && r.last.event != nil {
		if e.league == r.last.league {
			t[termLastLeague] = 1
		}
		for _, team := range e.teams {
			for _, other := range r.last.teams {
				if team == other {
					t[termLastTeam] = 1
				}
			}
		}
		if d := float64(e.begin-r.last.begin) / 8.64e10; d < 1 && d > -1 {
			t[termLastDay] = float32(1 - math.Abs(d))
		}
	}
}

func (r *termSet) homeLift(id int32) float64 {
	of := 0.0
	if int(id) < len(r.home.of) {
		of = r.home.of[id]
	}
	if r.crowd <= 0 {
		return 0
	}
	expected := r.share(id)
	unit := r.crowd / 1000 // a thousandth of the crowd's weight is the prior
	return clip(float64(ln(float32((of + unit*expected) / ((r.home.all + unit) * expected)))))
}

var _ = tipoff.ReasonTeam
