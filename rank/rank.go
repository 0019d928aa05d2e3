package rank

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tipoff"
	"tipoff/state"
)

// Priors of the terms.
const (
	liftPrior = 5.0 // bets of the crowd's taste mixed into a bettor's
	popPrior  = 0.3

	poolFactor = 5 // a varied slate is chosen from so many times its length
)

// Question is a query of one of the index's bettors, or of somebody else, at a moment.
type Question struct {
	tipoff.Query
	Now    time.Time
	Ranker string // [RankerSimilar] ... [RankerTipoff]; "": [RankerTipoff]
	Model  *Model // what was learnt; nil: nothing
	Whole  bool   // look at every open event, not only at those retrieved
}

// Scratch is memory that a ranking or a step of learning needs for its duration; it
// may be used again for any index, by one caller at a time.
type Scratch struct {
	generation uint32
	likings    []liking // by category
	affines    []affine // by category
	lately     []lately // by category
	leagues    []shared // by category
	ofTeams    []shared // by category
	asked      []int32  // categories of affines
	taste      taste
	found      []found  // by slot
	skip       []uint32 // by slot: generation in which it is left out
	others     others
	touched    []int32 // slots of found
	picked     []int32 // slots of the candidates
	pool       []candidate
	quick      []quick
	sorted     []quick
	scored     []scored
	top        []*scored
	view       netView
	slopes     [netDepth]float32
	varied     []varied
	slate      []candidate

	ranking ranking
}

func (s *Scratch) reset(categories, slots int) {
	s.generation++
	if s.generation == 0 { // wrapped round: old stamps could be taken for new ones
		*s = Scratch{generation: 1}
	}
	if len(s.likings) < categories {
		s.likings = make([]liking, categories+categories/4)
		s.affines, s.lately = make([]affine, len(s.likings)), make([]lately, len(s.likings))
		s.leagues, s.ofTeams = make([]shared, len(s.likings)), make([]shared, len(s.likings))
	}
	if len(s.found) < slots {
		s.found = make([]found, slots+slots/4)
		s.skip = make([]uint32, len(s.found))
	}
	s.pool, s.touched, s.asked = s.pool[:0], s.touched[:0], s.asked[:0]
}

// ranking is one question under way.
type ranking struct {
	*Index
	*Scratch
	q           *Question
	bettor      *Bettor // nil: nothing is known of the one who asks
	past        []int32 // slots of his last posted events, newest first
	now, micros int64
	until       int64 // latest beginning asked for, Unix microseconds

	sport, league, country uint32 // [state.Name]s asked for; 0: any
	isFiltered             bool   // by one of these, or by what the bettor follows

	cold     bool
	from     uint32               // the bettor's country
	last     *entry               // of the bettor's last event
	absent   [kindTeam + 1]liking // of categories that the bettor never chose
	context  [Contexts]float32
	nearAll  float32 // weight of the nearest bettors
	visitors float32 // other bettors of the last event
	timed    timing
	isTimed  bool      // terms that depend on the time are kept for it
	home     []float32 // of [Index.homes]: those of the bettor's country
	crowdAll float32   // logarithm of the crowd's
	belief   belief
	unit     float32        // how much a difference of 1 in the formula makes in the score
	own      [Terms]float32 // the part of weights that does not rest on a crowd
	weights  [Terms]float32
	formula  int     // whose weights they are: of [ComparedRankers]
	hasMoved bool    // the net has moved the best ones
	lowest   float32 // score of the last of those that the net has moved
	lastTop  float32 // score that the net's last one had before
	// Of the learnt vectors, weighed; see [ranking.prepareScores].
	toCategories, toItem vector
	// What of the weights counts; see [ranking.prepareScores].
	teamsByLift, pastByPairs, isLearnt bool
	isPlain                            bool // nothing learnt counts, in the second stage neither
}

// begin prepares a question: what the bettor's past says, and what is left out.
func (r *ranking) begin(x *Index, q *Question, s *Scratch) {
	*r = ranking{Index: x, Scratch: s, q: q, now: q.Now.Unix(), micros: q.Now.UnixMicro(), until: math.MaxInt64, unit: 1}
	if r.bettor = x.bettors[q.UserID]; r.bettor != nil {
		r.past = x.trail(r.bettor.trail).slots()
		r.leaveOutBets(r.bettor)
	}
	r.prepareTerms()
	for _, id := range q.Exclude {
		r.leaveOut(tipoff.EventRef(id))
	}
	r.sport, r.league, r.country = filterName(q.Sport), filterName(q.League), filterName(q.Country)
	r.isFiltered = r.sport|r.league|r.country != 0 || q.Followed
	if q.Within > 0 {
		r.until = q.Now.Add(q.Within).UnixMicro()
	}
}

func filterName(name string) uint32 {
	if name == "" {
		return 0
	}
	return state.Name(name)
}

// leaveOutBets leaves out what the bettor has bet on.
func (r *ranking) leaveOutBets(b *Bettor) {
	for _, slot := range r.past {
		r.skip[slot] = r.generation
	}
	for _, leg := range b.legs {
		r.skip[leg.slot] = r.generation
	}
	for _, event := range b.waiting {
		r.leaveOut(event)
	}
}

func (r *ranking) leaveOut(event uint64) {
	if slot, ok := r.slots[event]; ok {
		r.skip[slot] = r.generation
	}
}

// admits says whether an event is open, not begun, not left out, and passes the
// filters.
func (r *ranking) admits(slot int32) bool {
	if r.skip[slot] == r.generation || !r.isOpen[slot] { // before the event's memory is asked for
		return false
	}
	if begin := r.glances[slot].begin; begin <= r.micros || begin > r.until {
		return false
	}
	return !r.isFiltered || r.passes(&r.entries[slot])
}

// passes says whether an event passes the filters that go by its names.
func (r *ranking) passes(e *entry) bool {
	switch {
	case r.country != 0 && e.named.country != r.country,
		r.sport != 0 && e.named.sport != r.sport,
		r.league != 0 && e.named.league != r.league:
		return false
	}
	return !r.q.Followed || r.bettor == nil || r.follows(e)
}

// follows says whether the bettor has bet on the event's sport or league.
func (r *ranking) follows(e *entry) bool {
	return r.likings[e.sport].generation == r.generation || r.likings[e.league].generation == r.generation
}

// Rank returns open events for the question, best first, each with its reason. The
// same state, question and moment give the same list.
func (x *Index) Rank(q *Question, s *Scratch) []tipoff.Item {
	s.reset(len(x.categories), len(x.entries))
	r := &s.ranking
	r.begin(x, q, s)
	r.arrange()
	if len(s.pool) == 0 || q.N <= 0 {
		return nil
	}
	return r.result()
}

// arrange fills the pool with the best candidates in the order of the answer.
func (r *ranking) arrange() {
	q := r.q
	size := max(q.N, netDepth)
	switch {
	case q.MaxPerLeague > 0: // any event may be needed to fill the slate
		size = len(r.open)
	case q.Diversity > 0:
		size = max(size, q.N*poolFactor)
	}
	useNet := r.chooseWeights()
	list := r.score(r.candidates(min(size, q.N*poolFactor)))
	r.bound(list)
	r.best(list, size)
	if useNet {
		r.rerankTop()
	}
	if q.MaxPerLeague > 0 {
		r.capLeagues(q.MaxPerLeague)
	}
	if q.Diversity > 0 {
		r.rotate()
		if r.isEarly() && q.Diversity <= tipoff.DefaultVariety {
			r.introduce(q.N)
		} else {
			r.diversify(q.N, q.Diversity)
		}
	}
}

// candidates lists the events to rank: those retrieved, or all that pass where the
// retrieved ones may not be enough.
func (r *ranking) candidates(enough int) []int32 {
	s := r.Scratch
	s.picked = s.picked[:0]
	isSimilar := r.isSimilar()
	if len(r.open) > retrieveAbove && r.q.MaxPerLeague == 0 && !r.q.Whole && !isSimilar {
		s.picked = r.retrieve(s.picked, toServe)
		if len(s.picked) >= enough {
			return s.picked
		}
	}
	for _, slot := range r.open {
		if r.admits(slot) && (!isSimilar || r.follows(&r.entries[slot])) {
			s.picked = append(s.picked, slot)
		}
	}
	return s.picked
}

// isSimilar says whether the ranker is [RankerSimilar], which has nothing of its own
// for a new bettor.
func (r *ranking) isSimilar() bool { return r.q.Ranker == RankerSimilar && !r.cold }

// tieSeed is a number that stays with a bettor for an hour.
func (r *ranking) tieSeed() uint64 {
	return Scatter(uint64(r.now/3600)) ^ tipoff.EventRef(r.q.UserID)
}

// tieBreak is a number that stays with a bettor, by his [ranking.tieSeed], and an event.
func (r *ranking) tieBreak(seed uint64, slot int32) float32 {
	return float32(Scatter(seed^r.entries[slot].ref)>>40) / (1 << 24)
}

// rerankTop lets the net move the best events. The others stay behind them.
func (r *ranking) rerankTop() {
	s := r.Scratch
	n := min(len(s.pool), netDepth)
	if n < 2 {
		return
	}
	s.top = s.top[:0]
	for i := range n {
		r.complete(s.pool[i].scored)
		s.top = append(s.top, s.pool[i].scored)
	}
	r.q.Model.net.move(s.top, &r.context, &s.view)
	lowest := float32(math.Inf(1))
	for i := range n {
		s.pool[i].score += s.view.shift[i] * r.unit
		lowest = min(lowest, s.pool[i].score)
	}
	r.hasMoved, r.lowest, r.lastTop = true, lowest, s.top[n-1].score
	for i := n; i < len(s.pool); i++ {
		s.pool[i].score = r.behindTop(s.pool[i].score)
	}
	slices.SortFunc(s.pool, candidate.order)
}

// behindTop is the score of an event that the net does not look at: it stays behind the
// ones that the net has moved, by no less than before.
func (r *ranking) behindTop(score float32) float32 {
	return min(score, r.lowest-(r.lastTop-score))
}

// result returns the best of the pool, with scores and reasons for people.
func (r *ranking) result() []tipoff.Item {
	items := make([]tipoff.Item, min(r.q.N, len(r.pool)))
	usual := r.usual()
	for i := range items {
		items[i] = r.item(&r.pool[i], &usual)
	}
	return items
}

// item is a candidate with its score and reason for people.
func (r *ranking) item(c *candidate, u *usual) tipoff.Item {
	r.complete(c.scored)
	p := r.parts(&c.terms)
	for k, v := range u.parts {
		p[k] -= v
	}
	score := float64(c.score - c.scored.score)
	for _, v := range p {
		score += float64(v)
	}
	return tipoff.Item{Event: c.entry.event, Score: round(score), Reason: r.reason(c.slot, &p, u)}
}

// round cuts a number for people to four digits after the point, fewer than single
// precision has.
func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// candidate is an event in the pool.
type candidate struct {
	*scored // score by the first stage
	score   float32
	level   float32 // the same for near-equals; see [ranking.rotate]
	entry   *entry
}

// order sorts by score, best first, then by beginning, then by id, so that the order is always the same.
func (c candidate) order(other candidate) int {
	if c.score != other.score {
		return cmp.Compare(other.score, c.score)
	}
	return orderEqual(c.entry, other.entry)
}
