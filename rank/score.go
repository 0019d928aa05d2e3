package rank

import (
	"cmp"
	"math"
	"slices"
)

// A question has two to three hundred candidates and shows ten. Their scores are sums of
// weighted terms, so what candidates share is added up once: what a league and its sport
// bring, and how the learnt vectors are weighed. The terms one by one, which the second
// stage and the reasons need, are computed for the best alone; see [ranking.fill].

// quick is a candidate's score of the first stage, and how much of it rests on no crowd;
// see [ranking.mix].
type quick struct {
	slot       int32
	score, own float32
}

// shared is the part of a score that all events of a league, or of a team, have.
type shared struct {
	generation uint32
	score, own float32
}

// ignores says whether none of the terms counts. Weights by hand are 0 but for a few, and what
// a weight of 0 is multiplied by need not be known.
func (r *ranking) ignores(terms ...int) bool {
	for _, t := range terms {
		if r.weights[t] != 0 {
			return false
		}
	}
	return true
}

// prepareScores adds up what no candidate changes, and finds what does not count.
func (r *ranking) prepareScores() {
	r.teamsByLift = r.ignores(termKeenTeam, termBetsTeam, termCrowdTeam, termTeams)
	r.pastByPairs = r.ignores(termPairsGiven, termPairsRate, termPairsLast, termPairsNext, termNear, termNearRate, termNext, termHasPair)
	r.isLearnt = r.q.Model != nil && !r.ignores(termBias, termTaste, termLateTaste, termAlike, termAlikeLast)
	if r.isPlain = !r.isLearnt && r.formula != rankerNet; !r.isLearnt {
		return
	}
	t, w := &r.taste, &r.weights
	r.toCategories, r.toItem = vector{}, vector{}
	r.toCategories.add(w[termTaste], &t.longSum)
	r.toCategories.add(w[termLateTaste], &t.lateSum)
	r.toItem.add(w[termAlike], &t.itemSum)
	r.toItem.add(w[termAlikeLast], &t.lastItem)
}

// score computes the scores of all candidates: one part of all of them after the other, so
// that the memory which a part needs of many is on its way at a time.
func (r *ranking) score(picked []int32) []quick {
	r.prepareScores()
	r.quick = slices.Grow(r.quick[:0], len(picked))[:len(picked)]
	list := r.quick
	if r.isSimilar() {
		seed := r.tieSeed()
		for i, slot := range picked {
			list[i] = quick{slot: slot, score: r.tieBreak(seed, slot)}
		}
		return list
	}
	for i, slot := range picked {
		ofLeague := r.ofLeague(slot)
		list[i] = quick{slot, ofLeague.score, ofLeague.own}
	}
	r.scoreTimed(list)
	for i := range list {
		list[i].score += r.scoreOfTeams(list[i].slot)
	}
	r.scorePast(list)
	if w := &r.weights; r.last != nil && r.last.event != nil && (w[termLastTeam] != 0 || w[termLastDay] != 0) {
		for i := range list {
			e := &r.entries[list[i].slot]
			list[i].score += w[termLastTeam]*sharesTeam(e, r.last) + w[termLastDay]*dayOf(e, r.last)
		}
	}
	if r.isLearnt {
		r.scoreItems(list)
	}
	return list
}

// scoreTimed adds what depends on the event and the time, and on the bettor's country.
func (r *ranking) scoreTimed(list []quick) {
	w := &r.weights
	for i := range list {
		q := &list[i]
		if r.isTimed {
			q.score += dotTimed(w, &r.glances[q.slot].timed)
			continue
		}
		var timed [timedTerms]float32
		r.timed.fill(&r.entries[q.slot], &timed)
		q.score += dotTimed(w, &timed)
	}
	if r.from != 0 && w[termHome] != 0 {
		for i := range list {
			list[i].score += w[termHome] * r.homeTerm(list[i].slot)
		}
	}
}

// scorePast adds what the bettor's past says for the events that it leads to.
func (r *ranking) scorePast(list []quick) {
	var t [Terms]float32
	w := &r.weights
	for i := range list {
		q := &list[i]
		f := &r.found[q.slot]
		if f.generation != r.generation {
			continue
		}
		if r.pastByPairs {
			q.score += w[termPairs] * ln1p(50*f.cos)
			continue
		}
		r.fillPast(q.slot, &t)
		q.score += w[termPairs]*t[termPairs] + w[termPairsGiven]*t[termPairsGiven] + w[termPairsRate]*t[termPairsRate] +
			w[termPairsLast]*t[termPairsLast] + w[termPairsNext]*t[termPairsNext] +
			w[termNear]*t[termNear] + w[termNearRate]*t[termNearRate] + w[termNext]*t[termNext] + w[termHasPair]
	}
}

// scoreItems adds what has been learnt of teams and single events.
func (r *ranking) scoreItems(list []quick) {
	for i := range list {
		q := &list[i]
		item := uint64(r.glances[q.slot].item)
		q.score += r.tasteOfTeams(q.slot)
		if len(r.taste.itemOf) > 0 {
			q.score += r.toItem.dot(r.taste.itemOut.row(item))
		}
		if r.cold {
			q.score += r.weights[termBias] * r.taste.biases.value(coldHash(item))
		}
	}
}

// dotTimed is [dot] of the terms that depend on the event and the time alone.
func dotTimed(w *[Terms]float32, timed *[timedTerms]float32) float32 {
	var s0, s1 float32
	for i := 0; i+1 < timedTerms; i += 2 {
		s0 += w[i] * timed[i]
		s1 += w[i+1] * timed[i+1]
	}
	if timedTerms%2 == 1 {
		s0 += w[timedTerms-1] * timed[timedTerms-1]
	}
	return s0 + s1
}

// ofLeague is what an event's league and sport bring.
func (r *ranking) ofLeague(slot int32) *shared {
	s := &r.leagues[r.glances[slot].league]
	if s.generation == r.generation {
		return s
	}
	w, e := &r.weights, &r.entries[slot]
	sport, league := r.liking(kindSport, e.sport), r.liking(kindLeague, e.league)
	*s = shared{generation: r.generation, own: r.own[termSport]*sport.lift + r.own[termLeague]*league.lift}
	s.score = w[termSport]*sport.lift + w[termBetsSport]*(sport.bets/2) +
		w[termLeague]*league.lift + w[termBetsLeague]*league.bets + w[termKeenLeague]*(league.keen/2) +
		w[termCrowdLeague]*r.crowdShare(r.logs[e.league])
	if r.last != nil && r.last.event != nil && r.last.league == e.league {
		s.score += w[termLastLeague]
	}
	if r.isLearnt {
		s.score += r.scoreOfCategory(e.sport) + r.scoreOfCategory(e.league)
	}
	return s
}

// crowdShare is the term of a category's weight, a logarithm, in all that the crowd bets.
func (r *ranking) crowdShare(log float32) float32 { return max(log-r.crowdAll, leastPart)/2 + 2.3 }

// scoreOfCategory is what the learnt vectors say for a category.
func (r *ranking) scoreOfCategory(id int32) float32 {
	t, c := &r.taste, &r.categories[id]
	bias := float32(0)
	hashes, n := r.biasesOf(c)
	for _, hash := range hashes[:n] {
		bias += t.biases.value(hash)
	}
	return r.toCategories.dot(t.out.row(c.hash)) + r.weights[termBias]*bias
}

// scoreOfTeams is what an event's teams bring.
func (r *ranking) scoreOfTeams(slot int32) float32 {
	two := r.teams[slot]
	if two[1] >= 0 {
		return r.scoreOfTwo(two)
	}
	teams, w := r.entries[slot].teams, &r.weights
	if len(teams) == 0 {
		return w[termCrowdTeam] * r.crowdShare(float32(math.Inf(-1)))
	}
	first := r.liking(kindTeam, teams[0])
	best, all, keen, bets, crowd := first.lift, first.lift, first.keen, first.bets, r.logs[teams[0]]
	for _, team := range teams[1:] {
		l := r.liking(kindTeam, team)
		best, all, keen, bets, crowd = max(best, l.lift), all+l.lift, max(keen, l.keen), bets+l.bets, max(crowd, r.logs[team])
	}
	score := w[termTeam]*best + w[termKeenTeam]*(keen/2) + w[termBetsTeam]*bets + w[termCrowdTeam]*r.crowdShare(crowd)
	if others := len(teams) - 1; others > 0 {
		score += w[termTeams] * (all - best) / float32(others)
	}
	return score
}

// scoreOfTwo is [ranking.scoreOfTeams] of two teams, which asks for both at a time.
func (r *ranking) scoreOfTwo(two twoTeams) float32 {
	w, a, b := &r.weights, r.liking(kindTeam, two[0]), r.liking(kindTeam, two[1])
	if r.teamsByLift {
		return w[termTeam] * max(a.lift, b.lift)
	}
	best, all, crowd := max(a.lift, b.lift), a.lift+b.lift, max(r.logs[two[0]], r.logs[two[1]])
	score := w[termTeam]*best + w[termKeenTeam]*(max(a.keen, b.keen)/2) + w[termBetsTeam]*(a.bets+b.bets) + w[termCrowdTeam]*r.crowdShare(crowd)
	return score + w[termTeams]*(all-best)
}

// tasteOfTeams is what has been learnt of an event's teams.
func (r *ranking) tasteOfTeams(slot int32) (taste float32) {
	two := r.teams[slot]
	if two[1] >= 0 {
		return r.tasteOfTeam(two[0]) + r.tasteOfTeam(two[1])
	}
	teams := r.entries[slot].teams
	for _, team := range teams {
		taste += r.tasteOfTeam(team)
	}
	return teamShare(len(teams)) * taste
}

func (r *ranking) tasteOfTeam(team int32) float32 {
	s := &r.ofTeams[team]
	if s.generation != r.generation {
		*s = shared{generation: r.generation, score: r.scoreOfCategory(team)}
	}
	return s.score
}

// best leaves the best candidates, so many, in the pool, best first.
func (r *ranking) best(list []quick, size int) {
	list = r.sort(list, size)
	r.scored = slices.Grow(r.scored[:0], len(list))[:len(list)]
	for i, q := range list {
		l := &r.scored[i]
		l.slot, l.score, l.isWhole = q.slot, q.score, false
		r.pool = append(r.pool, candidate{scored: l, score: l.score, entry: &r.entries[q.slot]})
	}
}

// sort returns the best of a list, so many, best first. It puts them in order by steps of
// scores, and compares with each other only those of one step.
func (r *ranking) sort(list []quick, n int) []quick {
	const steps = 256
	least, most := float32(math.Inf(1)), float32(math.Inf(-1))
	for i := range list {
		if list[i].score < least {
			least = list[i].score
		}
		if list[i].score > most {
			most = list[i].score
		}
	}
	scale := (steps - 1) / (most - least)
	step := func(q *quick) int { return min(max(int((most-q.score)*scale), 0), steps-1) }
	var ends [steps]int // of each step; first its number, then where the next one goes
	for i := range list {
		ends[step(&list[i])]++
	}
	last, taken := 0, 0
	for ; last < steps && taken < n; last++ {
		ends[last], taken = taken, taken+ends[last]
	}
	r.sorted = slices.Grow(r.sorted[:0], taken)[:taken]
	for i := range list {
		if s := step(&list[i]); s < last {
			r.sorted[ends[s]] = list[i]
			ends[s]++
		}
	}
	begin := 0
	for _, end := range ends[:last] {
		if end > begin+1 {
			slices.SortFunc(r.sorted[begin:end], r.compare)
		}
		begin = end
	}
	return r.sorted[:min(n, taken)]
}

// compare is [candidate.order] before there are candidates.
func (r *ranking) compare(a, b quick) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return orderEqual(&r.entries[a.slot], &r.entries[b.slot])
}

// orderEqual orders events of one score by beginning, then by id.
func orderEqual(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.event.ID, b.event.ID))
}

// complete computes the terms of an event.
func (r *ranking) complete(l *scored) {
	if !l.isWhole {
		l.isWhole = true
		r.fill(l.slot, &l.terms)
	}
}
