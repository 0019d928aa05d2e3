package score

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"time"

	"tipoff"
)

// The hand blend: a sum of terms.
//
//	affinity    w * lift of the sport, the league, the best team
//	popularity  ln(1 + bets/0.3), bets decayed by [PopularityHalfLife]
//	country     ln(1 + bets from the bettor's country), for a cold start
//	co-bet      ln(1 + 50*similarity) to the last events of the bettor
//	urgency     -0.5 ln(1 + hours/6)
//
// Popularity and urgency are taken against the average candidate, which changes no
// order but tells what speaks for an event from what speaks for all.
const (
	weightSport  = 0.4
	weightLeague = 0.5
	weightTeam   = 0.8
	weightHome   = 1.5
	weightSoon   = 0.5

	liftPrior = 5.0 // bets of the crowd's taste mixed into a bettor's
	liftLeast = -2.0
	liftMost  = 4.0

	popPrior  = 0.3
	pairScale = 50.0
	pairRead  = 0.6 // weight of each older event of the bettor
	pairPrior = 5.0
	soonHours = 6.0
	weekHours = 7 * 24.0

	poolFactor = 5 // a varied slate is chosen from so many times its length
)

// Question is a query with what is known of the one who asks.
type Question struct {
	tipoff.Query
	Bettor *Bettor // nil: nothing is known
	Now    time.Time
	Ranker string
	Model  *Model
}

// Ranked is one event of an answer.
type Ranked struct {
	Event  *tipoff.Event
	Score  float64
	Reason tipoff.Reason
}

// Scratch is memory that a ranking needs for its duration; it may be used again
// for any index, by one caller at a time.
type Scratch struct {
	generation uint32
	lifts      []stamped // by category
	pairs      []stamped // by slot: similarity to the bettor's last events
	sources    []int32   // by slot: which of those events added most
	most       []float64
	skip       []uint32 // by slot: generation in which it is left out
	pool       pool
	likes      []like2
	found      []found   // by slot
	touched    []int32   // slots of found
	overlap    []overlap // by bettor
	others     []int32
}

type stamped struct {
	generation uint32
	value      float64
}

func (s *Scratch) reset(categories, slots int) {
	s.generation++
	if s.generation == 0 { // wrapped round: old stamps could be taken for new ones
		*s = Scratch{generation: 1}
	}
	if len(s.lifts) < categories {
		s.lifts = make([]stamped, categories+categories/4)
		s.likes = make([]like2, len(s.lifts))
	}
	if len(s.pairs) < slots {
		s.pairs = make([]stamped, slots+slots/4)
		s.sources = make([]int32, len(s.pairs))
		s.most = make([]float64, len(s.pairs))
		s.skip = make([]uint32, len(s.pairs))
		s.found = make([]found, len(s.pairs))
	}
	s.pool = s.pool[:0]
}

// Rank answers the question: open events, best first, each with its reason. The
// same state, question and moment give the same answer.
func (x *Index) Rank(q *Question, s *Scratch) []Ranked {
	s.reset(len(x.categories), len(x.entries))
	r := ranking{Index: x, Scratch: s, q: q, now: q.Now.Unix(), micros: q.Now.UnixMicro()}
	r.prepare()
	size := q.N
	switch {
	case q.MaxPerLeague > 0: // any event may be needed to fill the slate
		size = len(x.open)
	case q.Diversity > 0:
		size *= poolFactor
	}
	candidates := 0
	var average terms
	for _, slot := range x.open {
		if e := &x.entries[slot]; e.begin > r.micros && r.passes(slot, e) {
			t := r.terms(slot)
			candidates++
			average.popular += t.popular
			average.soon += t.soon
			r.pool.offer(candidate{slot, float32(t.sum()), e}, size)
		}
	}
	average.popular /= max(1, float64(candidates))
	average.soon /= max(1, float64(candidates))
	slices.SortFunc(r.pool, func(a, b candidate) int { return b.compare(a) })
	if q.MaxPerLeague > 0 {
		r.capLeagues(q.MaxPerLeague)
	}
	if q.Diversity > 0 {
		r.diversify(q.N, q.Diversity)
	}
	answer := make([]Ranked, min(q.N, len(r.pool)))
	for i := range answer {
		c := r.pool[i]
		t := r.terms(c.slot)
		t.popular -= average.popular
		t.soon -= average.soon
		answer[i] = Ranked{Event: c.entry.event, Score: round(t.sum()), Reason: r.reason(c.slot, &t)}
	}
	return answer
}

// ranking is one question under way.
type ranking struct {
	*Index
	*Scratch
	q           *Question
	now, micros int64
	absent      float64 // lift of a category that the bettor never chose
	home        uint32
	cold        bool
	until       int64 // latest beginning asked for, Unix microseconds

	sport, league, country uint32 // [Name]s asked for; 0: any
}

func (r *ranking) prepare() {
	q, b := r.q, r.q.Bettor
	r.cold = b == nil || b.Legs == 0
	if b != nil {
		r.home = b.Country()
		r.prepareLifts(b)
		r.preparePairs(b)
		for i := range b.Bets {
			for _, leg := range b.Bets[i].Legs {
				r.leaveOut(leg.Event)
			}
		}
	}
	for _, id := range q.Exclude {
		r.leaveOut(tipoff.EventRef(id))
	}
	r.sport, r.league, r.country = filterName(q.Sport), filterName(q.League), filterName(q.Country)
	r.until = math.MaxInt64
	if q.Within > 0 {
		r.until = q.Now.Add(q.Within).UnixMicro()
	}
}

func filterName(name string) uint32 {
	if name == "" {
		return 0
	}
	return Name(name)
}

func (r *ranking) leaveOut(event uint64) {
	if slot, ok := r.slots[event]; ok {
		r.skip[slot] = r.generation
	}
}

// prepareLifts computes how much more of each of the bettor's categories he
// chooses than the crowd does.
func (r *ranking) prepareLifts(b *Bettor) {
	fade := 1.0
	if r.now > b.At {
		fade = decay(r.now-b.At, TasteHalfLife)
	}
	all := b.Weight*fade + liftPrior
	r.absent = clip(math.Log(liftPrior / all))
	for kind, list := range [][]Affinity{b.Sports, b.Leagues, b.Teams} {
		for _, a := range list {
			if id, ok := r.ids[categoryKey{categoryKind(kind), a.Key}]; ok {
				expected := r.share(id)
				lift := clip(math.Log((a.Weight*fade + liftPrior*expected) / (all * expected)))
				r.lifts[id] = stamped{r.generation, lift}
			}
		}
	}
}

func clip(lift float64) float64 { return min(max(lift, liftLeast), liftMost) }

// preparePairs adds up, for each event, its similarity to the bettor's last ones.
func (r *ranking) preparePairs(b *Bettor) {
	weight := 1.0
	for _, event := range b.last(HistoryForPairs) {
		if slot, ok := r.slots[event]; ok {
			from := &r.entries[slot]
			for _, e := range from.after {
				r.addPair(e, slot, from.legs, weight)
			}
			for _, e := range from.before {
				r.addPair(e, slot, from.legs, weight)
			}
		}
		weight *= pairRead
	}
}

func (r *ranking) addPair(e edge, from int32, legs, weight float64) {
	add := weight * float64(e.weight) / (math.Sqrt(r.entries[e.slot].legs*legs) + pairPrior)
	pair := &r.pairs[e.slot]
	if pair.generation != r.generation {
		*pair = stamped{r.generation, 0}
		r.most[e.slot] = 0
	}
	pair.value += add
	if add > r.most[e.slot] {
		r.most[e.slot], r.sources[e.slot] = add, from
	}
}

// last lists the distinct events of the bettor's last legs, newest first.
func (b *Bettor) last(most int) []uint64 {
	events := make([]uint64, 0, most)
	for i := len(b.Bets) - 1; i >= 0; i-- {
		for j := len(b.Bets[i].Legs) - 1; j >= 0; j-- {
			if len(events) == most {
				return events
			}
			if event := b.Bets[i].Legs[j].Event; !slices.Contains(events, event) {
				events = append(events, event)
			}
		}
	}
	return events
}

// passes holds an open event against the filters.
func (r *ranking) passes(slot int32, e *entry) bool {
	q := r.q
	switch {
	case r.skip[slot] == r.generation,
		e.begin > r.until,
		r.country != 0 && e.named.country != r.country,
		r.sport != 0 && e.named.sport != r.sport,
		r.league != 0 && e.named.league != r.league:
		return false
	}
	if q.Followed && q.Bettor != nil {
		return r.lifts[e.sport].generation == r.generation || r.lifts[e.league].generation == r.generation
	}
	return true
}

// terms of one event's score.
type terms struct {
	sport, league, team, popular, home, pair, soon float64
	bestTeam                                       int32
}

func (t *terms) sum() float64 {
	return t.sport + t.league + t.team + t.popular + t.home + t.pair + t.soon
}

func (r *ranking) terms(slot int32) (t terms) {
	e := &r.entries[slot]
	t.bestTeam = -1
	t.sport = weightSport * r.lift(e.sport)
	t.league = weightLeague * r.lift(e.league)
	for i, team := range e.teams {
		if lift := weightTeam * r.lift(team); i == 0 || lift > t.team {
			t.team, t.bestTeam = lift, team
		}
	}
	t.popular = math.Log1p(e.pop.Value(r.now, PopularityHalfLife) / popPrior)
	if r.cold && r.home != 0 {
		t.home = weightHome * math.Log1p(e.betsFrom(r.home, r.now))
	}
	if pair := r.pairs[slot]; pair.generation == r.generation {
		t.pair = math.Log1p(pairScale * pair.value)
	}
	hours := float64(e.begin-r.micros) / 3.6e9
	t.soon = -weightSoon * math.Log1p(hours/soonHours)
	return t
}

func (r *ranking) lift(id int32) float64 {
	if l := r.lifts[id]; l.generation == r.generation {
		return l.value
	}
	return r.absent
}

// reason names the largest positive term of an event's score.
func (r *ranking) reason(slot int32, t *terms) tipoff.Reason {
	e, b := &r.entries[slot], r.q.Bettor
	reason, largest := tipoff.Reason{Code: tipoff.ReasonNewFixture, Entity: e.event.ID}, 0.0
	consider := func(term float64, code, entity string, evidence func() float64) {
		if term > largest {
			largest = term
			reason = tipoff.Reason{Code: code, Entity: entity, Evidence: evidence()}
		}
	}
	weight := func(list []Affinity, key uint32) func() float64 {
		return func() float64 {
			return round(weightOf(list, key) * decay(max(0, r.now-b.At), TasteHalfLife))
		}
	}
	if b != nil && !r.cold {
		if t.bestTeam >= 0 {
			team := r.categories[t.bestTeam].name
			consider(t.team, tipoff.ReasonTeam, team, weight(b.Teams, Name(e.event.Sport, team)))
		}
		consider(t.league, tipoff.ReasonLeague, e.event.League, weight(b.Leagues, Name(e.event.Sport, e.event.League)))
		consider(t.sport, tipoff.ReasonSport, e.event.Sport, weight(b.Sports, Name(e.event.Sport)))
	}
	if t.pair > largest {
		source := ""
		if event := r.entries[r.sources[slot]].event; event != nil {
			source = event.ID
		}
		consider(t.pair, tipoff.ReasonCoBet, source, func() float64 { return round(r.pairs[slot].value) })
	}
	if t.home > 0 {
		consider(t.home, tipoff.ReasonCountry, b.User.Country, func() float64 { return round(e.betsFrom(r.home, r.now)) })
	}
	consider(t.popular, tipoff.ReasonPopular, e.event.ID, func() float64 {
		return round(e.pop.Value(r.now, PopularityHalfLife))
	})
	consider(t.soon, tipoff.ReasonSoon, e.event.ID, func() float64 { return round(float64(e.begin-r.micros) / 3.6e9) })
	return reason
}

// round cuts a number for people to six digits after the point.
func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// candidate is an event in the pool. Scores are compared in single precision, so
// that nodes whose sums differ in the last bits answer alike.
type candidate struct {
	slot  int32
	score float32
	entry *entry
}

// compare orders by score, then by beginning, then by id: never by chance.
func (c candidate) compare(other candidate) int {
	return cmp.Or(
		cmp.Compare(c.score, other.score),
		cmp.Compare(other.entry.begin, c.entry.begin),
		cmp.Compare(other.entry.event.ID, c.entry.event.ID),
	)
}

// pool keeps the best candidates seen, the worst of them on top.
type pool []candidate

func (p pool) Len() int           { return len(p) }
func (p pool) Less(i, j int) bool { return p[i].compare(p[j]) < 0 }
func (p pool) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *pool) Push(c any)        { *p = append(*p, c.(candidate)) }
func (p *pool) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

func (p *pool) offer(c candidate, size int) {
	switch {
	case size <= 0:
	case len(*p) < size:
		heap.Push(p, c)
	case c.compare((*p)[0]) > 0:
		(*p)[0] = c
		heap.Fix(p, 0)
	}
}
