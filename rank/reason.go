package rank

import (
	"tipoff"
	"tipoff/state"
)

// The parts of a score that a reason can name: sums of weighted terms.
const (
	partTeam = iota
	partLeague
	partSport
	partPairs
	partCountry
	partPopular
	partSoon
	partNew
	partTaste
	partCount
)

// PartNames are the parts in words.
var PartNames = [partCount]string{"team", "league", "sport", "pairs", "country", "popular", "soon", "new", "taste"}

// parts of a score, by what they say. What the second stage adds has no name.
type parts [partCount]float32

// partOf is the part that each term belongs to.
var partOf = [Terms]int{
	termPop5m: partPopular, termPop20m: partPopular, termPop2h: partPopular, termPop6h: partPopular, termPop2d: partPopular,
	termPop30d: partPopular, termPopEver: partPopular, termCrowdLeague: partPopular, termCrowdTeam: partPopular,
	termHome:  partCountry,
	termSoon1: partSoon, termSoon6: partSoon, termSoon48: partSoon, termLastDay: partSoon,
	termAge: partNew, termUnseen: partNew,
	termSport: partSport, termBetsSport: partSport,
	termLeague: partLeague, termBetsLeague: partLeague, termKeenLeague: partLeague, termLastLeague: partLeague,
	termTeam: partTeam, termTeams: partTeam, termBetsTeam: partTeam, termKeenTeam: partTeam, termLastTeam: partTeam,
	termPairs: partPairs, termPairsGiven: partPairs, termPairsLast: partPairs, termPairsNext: partPairs, termNear: partPairs,
	termTaste: partTaste, termLateTaste: partTaste, termAlike: partPairs, termAlikeLast: partPairs, termBias: partPopular,
	termNext: partPairs, termHasPair: partPairs, termPairsRate: partPairs, termNearRate: partPairs,
}

func (r *ranking) parts(terms *[Terms]float32) (p parts) {
	for t, v := range terms {
		p[partOf[t]] += r.weights[t] * v
	}
	return p
}

// usual is what the best events of the pool have on average: what speaks for all of
// them tells nothing of one.
type usual struct {
	parts parts   // of those parts that every event has some of
	soon  float64 // hours to the beginning
	bets  float64 // decayed; see [ranking.usualBets]
	isSum bool    // bets were added up
}

func (r *ranking) usual() (u usual) {
	n := min(len(r.pool), netDepth)
	var mean [Terms]float32
	for i := range n {
		c := &r.pool[i]
		r.complete(c.scored)
		for t, v := range &c.terms {
			mean[t] += v
		}
		u.soon += r.hoursTo(c.entry) / float64(n)
	}
	for t := range mean {
		mean[t] /= float32(n)
	}
	p := r.parts(&mean)
	for _, k := range [...]int{partPopular, partSoon, partNew} {
		u.parts[k] = p[k]
	}
	return u
}

// usualBets are added up where a reason asks for them, as few do: each takes a power.
func (r *ranking) usualBets(u *usual) float64 {
	if !u.isSum {
		n := min(len(r.pool), netDepth)
		for i := range n {
			u.bets += r.pool[i].entry.pop.Value(r.now, state.PopularityHalfLife) / float64(n)
		}
		u.isSum = true
	}
	return u.bets
}

func (r *ranking) hoursTo(e *entry) float64 { return float64(e.begin-r.micros) / 3.6e9 }

const (
	leastReason = 1e-3 // a smaller part is no reason
	soonHours   = 48.0
	newHours    = 24.0 // since the first bet
	newBets     = 10.0
)

// reason names the largest positive part whose words are true of the event: learnt
// weights may speak for an event because few bet on it, or because it begins late.
func (r *ranking) reason(slot int32, p *parts, u *usual) tipoff.Reason {
	e := &r.entries[slot]
	reason, largest := tipoff.Reason{Code: tipoff.ReasonOpen, Entity: e.event.ID}, leastReason*r.unit
	for part, v := range p {
		if v <= largest {
			continue
		}
		if why, isTrue := r.words(part, slot, u); isTrue {
			reason, largest = why, v
		}
	}
	return reason
}

// words returns the reason that a part gives, and whether it is true of the event.
func (r *ranking) words(part int, slot int32, u *usual) (why tipoff.Reason, isTrue bool) {
	e := &r.entries[slot]
	switch part {
	case partTeam:
		why = r.teamReason(e)
	case partLeague:
		if r.likes(e.league) {
			why = tipoff.Reason{Code: tipoff.ReasonLeague, Entity: e.event.League, Evidence: r.betsOn(e.league)}
		}
	case partSport:
		if r.likes(e.sport) {
			why = tipoff.Reason{Code: tipoff.ReasonSport, Entity: e.event.Sport, Evidence: r.betsOn(e.sport)}
		}
	case partPairs:
		why = r.pairsReason(slot)
	case partTaste:
		return r.tasteReason(slot)
	case partCountry:
		if r.from != 0 {
			why = tipoff.Reason{Code: tipoff.ReasonCountry, Entity: r.bettor.home, Evidence: round(e.betsFrom(r.from, r.now))}
		}
	case partPopular:
		if bets := e.pop.Value(r.now, state.PopularityHalfLife); bets > r.usualBets(u) {
			why = tipoff.Reason{Code: tipoff.ReasonPopular, Entity: e.event.ID, Evidence: round(bets)}
		}
	case partSoon:
		if hours := r.hoursTo(e); hours < u.soon && hours <= soonHours {
			why = tipoff.Reason{Code: tipoff.ReasonSoon, Entity: e.event.ID, Evidence: round(hours)}
		}
	case partNew:
		isNew := e.legCount == 0 || e.legCount < newBets && float64(r.now-e.first) < newHours*3600
		return tipoff.Reason{Code: tipoff.ReasonNewFixture, Entity: e.event.ID}, isNew
	}
	return why, why.Evidence > 0 && why.Entity != ""
}

// likes says whether the bettor chooses a category more than others do.
func (r *ranking) likes(id int32) bool {
	l := &r.likings[id]
	return l.generation == r.generation && l.more
}

// betsOn is the bettor's decayed number of bets on a category.
func (r *ranking) betsOn(id int32) float64 {
	if l := &r.likings[id]; l.generation == r.generation {
		return round(float64(exp2(l.bets*1.442695) - 1))
	}
	return 0
}

func (r *ranking) teamReason(e *entry) (why tipoff.Reason) {
	for _, team := range e.teams {
		if bets := r.betsOn(team); bets > why.Evidence && r.likes(team) {
			why = tipoff.Reason{Code: tipoff.ReasonTeam, Entity: r.categories[team].name, Evidence: bets}
		}
	}
	return why
}

// pairsReason names the past event that most of the same bettors bet on.
func (r *ranking) pairsReason(slot int32) (why tipoff.Reason) {
	f := &r.found[slot]
	if f.generation != r.generation {
		return why
	}
	why = tipoff.Reason{Code: tipoff.ReasonCoBet, Evidence: round(float64(f.cos))}
	switch {
	case f.source >= 0 && r.entries[f.source].event != nil:
		why.Entity = r.entries[f.source].event.ID
	case f.source < 0 && r.last != nil && r.last.event != nil:
		why.Entity, why.Evidence = r.last.event.ID, round(float64(f.near/max(1, r.nearAll)))
	}
	return why
}

// tasteReason says in words what learnt vectors do not: the league or sport that the bettor
// follows, else what others who bet alike bet on.
func (r *ranking) tasteReason(slot int32) (why tipoff.Reason, isTrue bool) {
	for _, part := range [...]int{partLeague, partSport, partPairs} {
		if why, isTrue = r.words(part, slot, nil); isTrue {
			return why, true
		}
	}
	return why, false
}
