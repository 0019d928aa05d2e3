package rank

import (
	"math"
	"time"
)

// The terms of a score: numbers of about -3..3 that may speak for an event.
const (
	termPop5m = iota // bets, by half-life; see [heatHalfLives]
	termPop20m
	termPop2h
	termPop6h
	termPop2d
	termPop30d
	termPopEver
	termSoon1 // time to the beginning, on three scales
	termSoon6
	termSoon48
	termAge         // since the first bet
	termUnseen      // nobody has bet on it
	termHome        // bets from the bettor's country
	termSport       // lifts: how much more the bettor chooses it than everyone
	termLeague      //
	termTeam        // of the best team
	termTeams       // of the others, mean
	termCrowdLeague // the crowd's share
	termCrowdTeam
	termPairs      // similarity to the last events, [state.HistoryForPairs]
	termPairsGiven // share of their bettors who bet on this one too
	termPairsLast  // similarity to the last one
	termPairsNext  // share of its bettors who bet on this one after it
	termNear       // weight among the nearest bettors
	termNext       // share of the last event's latest bettors who went on to this one
	termHasPair    // found by the bettor's past at all
	termLastLeague // the last event's league
	termLastTeam   // a team of the last event
	termLastDay    // begins near it
	termPairsRate  // pairs, and nearest bettors, against how popular the event is
	termNearRate
	termBetsLeague // the bettor's decayed bets
	termBetsTeam
	termBetsSport
	termKeenLeague // lifts that believe a bettor's first bets
	termKeenTeam
	termBias  // learnt biases; see [tastes]
	termTaste // learnt vectors, which themselves learn how much they count
	termLateTaste
	termAlike
	termAlikeLast
	Terms

	timedTerms = termHome // those before it depend on the event and the time alone
)

// TermNames are the terms in words.
var TermNames = [Terms]string{
	"bets 5m", "bets 20m", "bets 2h", "bets 6h", "bets 2d", "bets 30d", "bets ever",
	"begins, hours", "begins, quarter days", "begins, days", "age", "never bet on", "bets from country", "lift of sport", "lift of league", "lift of best team", "lift of other teams",
	"league of the crowd", "team of the crowd",
	"pairs, similarity", "pairs given", "pairs of the last", "pairs after the last", "nearest bettors", "next of the last's bettors", "any pair",
	"league of the last", "team of the last", "day of the last", "pairs against bets", "nearest against bets",
	"bets on league", "bets on teams", "bets on sport", "keen on league", "keen on team",
	"biases", "taste", "late taste", "events alike", "events alike the last",
}

// How much is known of a bettor: every term has a weight for each, and counts as
// their sum.
const (
	contextAlways = iota
	contextKnown  // how many bets
	contextFresh  // how lately the last one was made
	contextCold   // none at all
	contextMoved  // how differently he chose of late; see [taste.moved]
	Contexts
)

const freshSeconds = 1800.0

// prepareTerms computes what the terms of all events share.
func (r *ranking) prepareTerms() {
	if r.timed = r.Index.timed; r.timed.at != timingOf(r.q.Now) {
		r.timed = newTiming(r.q.Now)
	}
	r.isTimed = r.timed.at == r.Index.timed.at
	r.crowdAll = float32(math.Log(max(r.crowd, leastCrowd)))
	r.context = [Contexts]float32{contextAlways: 1}
	b := r.bettor
	r.prepareBelief(b)
	if b != nil {
		r.from, r.home = b.country, r.homes[b.country]
	}
	r.cold = b == nil || b.LegCount == 0
	if r.q.Model != nil {
		r.prepareTaste(b)
	}
	if r.cold {
		r.context[contextCold] = 1
		return
	}
	r.context[contextKnown] = min(ln1p(float32(b.LegCount))/5, 1.2)
	if r.q.Model != nil {
		r.context[contextMoved] = r.taste.moved() * r.context[contextKnown]
	}
	if b.lastBet != 0 {
		r.context[contextFresh] = 1 / (1 + float32(max(0, r.now-b.lastBet))/freshSeconds)
	}
	r.prepareLifts(b)
	r.preparePairs()
	r.prepareNear()
}

// liking is how a bettor chooses a category, compared with the crowd.
type liking struct {
	generation uint32
	lift       float32
	keen       float32 // the same with a small m
	bets       float32 // ln(1 + w)
	more       bool    // chosen more than by others
}

// singlePrecision is more than bettors' weights are rounded by.
const singlePrecision = 1e-6

const (
	keenPrior = 1.0
	keenMost  = 8.0
)

func (r *ranking) prepareLifts(b *Bettor) {
	all := b.weight * r.belief.own
	priors := [...]float64{kindSport: r.sportPrior(), kindLeague: liftPrior, kindTeam: liftPrior}
	for kind, prior := range priors {
		r.absent[kind] = r.liked(prior, all, 0, 1)
		tastes, weights := b.tastesOf(categoryKind(kind))
		for i, id := range tastes {
			weight := float64(weights[i]) * r.belief.own
			l := r.liked(prior, all, weight, r.expected(categoryKind(kind), id, weight))
			l.more = r.belief.others == 0 || weight*r.belief.others > all*r.byOthers(id, weight)*(1+singlePrecision)
			r.likings[id] = l
		}
	}
}

func (r *ranking) liking(kind categoryKind, id int32) *liking {
	if l := &r.likings[id]; l.generation == r.generation {
		return l
	}
	return &r.absent[kind]
}

const (
	farHours  = 1000.0 // later beginnings count as this
	leastPart = -9.2   // logarithm: a smaller share of the crowd counts as this
)

// timingSeconds is the grid of times at which the terms that depend on the event and
// the time alone are taken, so that they can be kept for all questions of a cell.
const timingSeconds = 8

// timing is a time of that grid.
type timing struct {
	at    int64          // Unix seconds
	marks [heats]float64 // half-lives from [landmark] to it
}

// timingOf is the time of the grid that serves a moment, Unix seconds.
func timingOf(now time.Time) int64 { return now.Unix() / timingSeconds * timingSeconds }

func newTiming(now time.Time) (t timing) {
	t.at = timingOf(now)
	for k := range t.marks {
		t.marks[k] = float64(t.at-landmark) / heatHalfLives[k].Seconds()
	}
	return t
}

// fill computes the terms of one event that depend on the time alone.
func (t *timing) fill(e *entry, terms *[timedTerms]float32) {
	if e.legCount > 0 {
		for k := range e.heats {
			terms[termPop5m+k] = t.bets(e, k)
		}
		terms[termPopEver] = ln1p(float32(e.legCount)/popPrior) / 2
		terms[termAge] = ln1p(float32(max(0, t.at-e.first))/3600) / 2
	} else {
		terms[termUnseen] = 1
	}
	hours := min(max(0, float32(e.begin/1e6-t.at)/3600), farHours)
	terms[termSoon1] = ln1p(hours) / 2
	terms[termSoon6] = ln1p(hours / 6)
	terms[termSoon48] = ln1p(hours / 48)
}

// bets is the term of an event's bets by a half-life; 0 where there are none.
func (t *timing) bets(e *entry, k int) float32 {
	if e.legCount == 0 {
		return 0
	}
	return ln1p(exp2(min(float32(e.heats[k].mark-t.marks[k]), e.heats[k].most))/popPrior) / 2
}

// Refresh computes the terms of all open events that depend on the time alone, so
// that questions of the next seconds find them. It changes no list.
func (x *Index) Refresh(now time.Time) {
	if timingOf(now) != x.timed.at {
		x.timed = newTiming(now)
		for _, slot := range x.open {
			x.refresh(slot)
			x.keepHomes(slot)
		}
	}
}

// fill computes the terms of one event.
func (r *ranking) fill(slot int32, t *[Terms]float32) {
	e := &r.entries[slot]
	*t = [Terms]float32{}
	if r.isTimed {
		copy(t[:timedTerms], r.glances[slot].timed[:])
	} else {
		r.timed.fill(e, (*[timedTerms]float32)(t[:timedTerms]))
	}
	if r.from != 0 {
		t[termHome] = r.homeTerm(slot)
	}
	sport, league := r.liking(kindSport, e.sport), r.liking(kindLeague, e.league)
	t[termSport], t[termBetsSport] = sport.lift, sport.bets/2
	t[termLeague], t[termBetsLeague], t[termKeenLeague] = league.lift, league.bets, league.keen/2
	crowd := float32(math.Inf(-1))
	for i, team := range e.teams {
		l := r.liking(kindTeam, team)
		if i == 0 || l.lift > t[termTeam] {
			t[termTeam] = l.lift
		}
		if i == 0 || l.keen/2 > t[termKeenTeam] {
			t[termKeenTeam] = l.keen / 2
		}
		t[termTeams] += l.lift
		t[termBetsTeam] += l.bets
		crowd = max(crowd, r.logs[team])
	}
	if others := len(e.teams) - 1; others > 0 {
		t[termTeams] = (t[termTeams] - t[termTeam]) / float32(others)
	} else {
		t[termTeams] = 0
	}
	t[termCrowdTeam], t[termCrowdLeague] = r.crowdShare(crowd), r.crowdShare(r.logs[e.league])
	r.fillPast(slot, t)
	r.fillLast(e, t)
	if r.q.Model != nil {
		if !r.isPlain {
			r.fillTaste(e, t)
		}
		for _, off := range r.q.Model.off {
			t[off] = 0
		}
	}
}

// fillPast computes the terms of what the bettor's past leads to; none where it does not lead
// to the event.
func (r *ranking) fillPast(slot int32, t *[Terms]float32) {
	f := &r.found[slot]
	if f.generation != r.generation {
		return
	}
	cos, given, root := f.cos, f.given, r.rootLegs[slot]
	t[termHasPair] = 1
	t[termPairs] = ln1p(50 * cos)
	t[termPairsGiven] = ln1p(200*given) / 2
	t[termPairsLast] = ln1p(50 * f.last)
	t[termPairsNext] = ln1p(200*f.next) / 2
	t[termNear], t[termNearRate], t[termNext] = 0, 0, 0
	if f.near > 0 {
		near := f.near / r.nearAll
		t[termNear] = ln1p(200*near) / 2
		t[termNearRate] = ln1p(200 * near / (root + 2))
	}
	if f.after > 0 {
		t[termNext] = ln1p(100*f.after/(r.visitors+3)) / 2
	}
	t[termPairsRate] = ln1p(500 * given / (root + 2))
}

// fillLast computes the terms of what an event shares with the bettor's last one.
func (r *ranking) fillLast(e *entry, t *[Terms]float32) {
	if r.last == nil || r.last.event == nil {
		return
	}
	if e.league == r.last.league {
		t[termLastLeague] = 1
	}
	t[termLastTeam], t[termLastDay] = sharesTeam(e, r.last), dayOf(e, r.last)
}

// sharesTeam is 1 where two events have a team in common, else 0. No team plays two sports.
func sharesTeam(a, b *entry) float32 {
	if a.sport != b.sport {
		return 0
	}
	for _, team := range a.teams {
		for _, other := range b.teams {
			if team == other {
				return 1
			}
		}
	}
	return 0
}

// dayOf is 1 where two events begin together, and falls to 0 over a day.
func dayOf(a, b *entry) float32 {
	if d := float64(a.begin-b.begin) / 8.64e10; d < 1 && d > -1 {
		return float32(1 - math.Abs(d))
	}
	return 0
}
