package score

import "tipoff"

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
	partCount
)

// PartNames are the parts in words.
var PartNames = [partCount]string{"team", "league", "sport", "pairs", "country", "popular", "soon", "new"}

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
	termNext: partPairs, termHasPair: partPairs, termPairsRate: partPairs, termNearRate: partPairs,
}

func (r *ranking) parts(terms *[Terms]float32) (p parts) {
	for t, v := range terms {
		p[partOf[t]] += r.weights[t] * v
	}
	return p
}

// averageParts is the mean over the pool of those parts that every event has some of:
// taking it away changes no order, but tells what speaks for an event from what
// speaks for all.
func (r *ranking) averageParts() (average parts) {
	n := min(len(r.pool), netDepth)
	for i := range n {
		p := r.parts(&r.pool[i].terms)
		for _, k := range [...]int{partPopular, partSoon, partNew} {
			average[k] += p[k] / float32(n)
		}
	}
	return average
}

// reason names the largest positive part for which there is evidence.
func (r *ranking) reason(slot int32, p *parts) tipoff.Reason {
	e, b := &r.entries[slot], r.q.Bettor
	reason, largest := tipoff.Reason{Code: tipoff.ReasonNewFixture, Entity: e.event.ID}, float32(0)
	for part, v := range p {
		if v <= largest {
			continue
		}
		var why tipoff.Reason
		switch part {
		case partTeam:
			if !r.cold {
				why = r.teamReason(e)
			}
		case partLeague:
			if !r.cold {
				why = tipoff.Reason{Code: tipoff.ReasonLeague, Entity: e.event.League, Evidence: r.betsOn(e.league)}
			}
		case partSport:
			if !r.cold {
				why = tipoff.Reason{Code: tipoff.ReasonSport, Entity: e.event.Sport, Evidence: r.betsOn(e.sport)}
			}
		case partPairs:
			why = r.pairsReason(slot)
		case partCountry:
			if r.from != 0 {
				why = tipoff.Reason{Code: tipoff.ReasonCountry, Entity: b.User.Country, Evidence: round(e.betsFrom(r.from, r.now))}
			}
		case partPopular:
			why = tipoff.Reason{Code: tipoff.ReasonPopular, Entity: e.event.ID, Evidence: round(e.pop.Value(r.now, PopularityHalfLife))}
		case partSoon:
			why = tipoff.Reason{Code: tipoff.ReasonSoon, Entity: e.event.ID, Evidence: round(float64(e.begin-r.micros) / 3.6e9)}
		case partNew:
			why = tipoff.Reason{Code: tipoff.ReasonNewFixture, Entity: e.event.ID}
		}
		if why.Code != "" && (why.Evidence > 0 || part == partNew) {
			reason, largest = why, v
		}
	}
	return reason
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
		if bets := r.betsOn(team); bets > why.Evidence {
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
