package evaluate

import (
	"context"
	"math"
	"slices"
	"time"

	"tipoff"
	"tipoff/recording"
)

// Depth is how many ranks of a list count.
const Depth = 10

// warmUp is the share of a log's coupons that are learnt from but not scored.
const warmUp = 0.2

// Query is what a ranker is asked. Users and events are small numbers, in the order
// in which the log names them first.
type Query struct {
	World      *World
	User       int32
	UserID     string
	Country    string // of the user, "" while not posted
	Now        time.Time
	History    []int32 // distinct events that the user has bet on, newest first
	Candidates []int32 // open events that the user has not bet on
	Events     []Event // all, by number
	Chance     uint64  // for a ranker that leaves something to chance: another for each question
}

// Event is an event of a log as rankers see it.
type Event struct {
	*tipoff.Event
	Sport, League int32   // small numbers, as events
	Teams         []int32 // likewise
	begin         int64   // Unix microseconds
	bets          float64 // so far
}

// Ranker is one way to rank.
type Ranker interface {
	Name() string
	// Top returns the best candidates, best first, [Depth] at most.
	Top(q *Query) []int32
	// Learn learns from what the user bet on. The query's candidates are not filled.
	Learn(q *Query, legs []int32)
}

// Options are how a log is judged.
type Options struct {
	Every    int            // each so many coupons is scored; of the first 10,000 more, for [Result.Beginnings] alone
	Clock    func() float64 // microseconds, to time rankings
	Progress func(coupons int)
	First    int // stop after so many coupons; 0: all
	Plotted  int // points of a line over time
}

// Judge replays a log and measures the rankers on it.
func Judge(ctx context.Context, log *recording.Log, rankers []Ranker, o Options) ([]*Result, error) {
	j := newJudge(log, rankers, o)
	for i := range log.Facts {
		f := &log.Facts[i]
		switch {
		case f.User != nil:
			j.countries[f.User.ID] = f.User.Country
			j.world.PostUser(f.User)
		case f.Event != nil:
			j.announce(f.Event, f.At)
		default:
			if o.First > 0 && j.coupons == o.First {
				return j.finish(), nil
			}
			if j.coupons%512 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			j.coupon(f.Coupon, f.At)
			if o.Progress != nil {
				o.Progress(1)
			}
		}
	}
	return j.finish(), nil
}

type judge struct {
	options   Options
	world     *World
	rankers   []Ranker
	results   []*Result
	events    []Event
	numbers   map[string]int32 // of events
	users     map[string]int32
	names     map[[2]string]int32 // of sports, leagues and teams
	histories [][]int32           // by user, newest last
	countries map[string]string
	stamps    []int32 // by event: the last user whose history was marked
	stamp     int32
	coupons   int
	warm      int
	asked     uint64 // questions of the main figures
	bets      float64
	query     Query

	beginnings int // how many of them the log is long enough for
}

func newJudge(log *recording.Log, rankers []Ranker, o Options) *judge {
	all := log.Coupons
	if o.First > 0 {
		all = min(all, o.First)
	}
	j := &judge{
		options: o, world: newWorld(), rankers: rankers, numbers: map[string]int32{}, users: map[string]int32{},
		names: map[[2]string]int32{}, countries: map[string]string{}, warm: int(warmUp * float64(all)),
	}
	for _, r := range rankers {
		result := newResult(log.Name, r.Name(), all-j.warm, o.Plotted)
		result.Beginnings = newBeginnings(all)
		j.results, j.beginnings = append(j.results, result), len(result.Beginnings)
	}
	return j
}

func (j *judge) number(kind, name string) int32 {
	key := [2]string{kind, name}
	n, ok := j.names[key]
	if !ok {
		n = int32(len(j.names))
		j.names[key] = n
	}
	return n
}

func (j *judge) announce(e *tipoff.Event, at time.Time) {
	j.world.PostEvent(e, at)
	e = &j.world.fixture(e.ID).Event // as it stands now
	n, ok := j.numbers[e.ID]
	if !ok {
		n = int32(len(j.events))
		j.numbers[e.ID] = n
		j.events = append(j.events, Event{})
		j.stamps = append(j.stamps, 0)
	}
	event := &j.events[n]
	event.Event, event.begin = e, e.Begin.UnixMicro()
	event.Sport, event.League = j.number("sport", e.Sport), j.number("league", e.Sport+"/"+e.League)
	event.Teams = event.Teams[:0]
	for _, team := range e.Participants {
		event.Teams = append(event.Teams, j.number("team", e.Sport+"/"+team))
	}
}

func (j *judge) coupon(c *tipoff.Coupon, at time.Time) {
	j.world.Index.Begin(at)
	user, ok := j.users[c.UserID]
	if !ok {
		user = int32(len(j.histories))
		j.users[c.UserID] = user
		j.histories = append(j.histories, nil)
	}
	past := j.histories[user]
	j.stamp++
	for _, e := range past {
		j.stamps[e] = j.stamp
	}
	legs := make([]int32, 0, len(c.Selections))
	for _, s := range c.Selections {
		if n, known := j.numbers[s.EventID]; known && !slices.Contains(legs, n) {
			legs = append(legs, n)
		}
	}
	q := &j.query
	*q = Query{
		World: j.world, User: user, UserID: c.UserID, Country: j.countries[c.UserID], Now: at, Events: j.events,
		History: q.History[:0], Candidates: q.Candidates[:0],
	}
	for i := len(past) - 1; i >= 0; i-- {
		q.History = append(q.History, past[i])
	}
	if j.isScored() || j.isBeginning() {
		j.score(q, legs, len(past))
	}
	for _, r := range j.rankers {
		r.Learn(q, legs)
	}
	j.world.Learn(c, at)
	j.world.Bet(c, at)
	for _, leg := range legs {
		j.events[leg].bets++
		j.bets++
		if i := slices.Index(past, leg); i >= 0 {
			past = slices.Delete(past, i, i+1)
		}
		past = append(past, leg)
	}
	j.histories[user] = past
	j.coupons++
}

// isScored says whether the coupon counts in the main figures.
func (j *judge) isScored() bool {
	return j.coupons >= j.warm && (j.coupons-j.warm)%max(1, j.options.Every) == 0
}

// isBeginning says whether it counts in a beginning.
func (j *judge) isBeginning() bool {
	for i := range j.beginnings {
		if begins(i, j.coupons, j.options.Every) {
			return true
		}
	}
	return false
}

// score asks every ranker, where the coupon has a leg among the candidates.
func (j *judge) score(q *Query, legs []int32, bets int) {
	micros := q.Now.UnixMicro()
	for n := range j.events {
		e := &j.events[n]
		if e.begin > micros && e.Status == tipoff.StatusOpen && j.stamps[n] != j.stamp {
			q.Candidates = append(q.Candidates, int32(n))
		}
	}
	targets := legs[:0:0]
	for _, leg := range legs {
		if _, isCandidate := slices.BinarySearch(q.Candidates, leg); isCandidate {
			targets = append(targets, leg)
		}
	}
	if len(targets) == 0 {
		return
	}
	scored := j.isScored()
	if q.Chance = ^uint64(j.coupons); scored { // the beginnings leave the main figures' chance alone
		j.asked++
		q.Chance = j.asked
	}
	for i, r := range j.rankers {
		began := j.options.Clock()
		top := r.Top(q)
		a := &ranking{
			top: top, targets: targets, user: q.User, bets: bets, at: q.Now.Unix(), events: j.events, all: j.bets,
			micros: j.options.Clock() - began, along: float64(j.coupons-j.warm) / float64(j.results[i].ahead),
		}
		if scored {
			j.results[i].add(a)
		}
		j.results[i].addBeginning(a, j.coupons, j.options.Every)
	}
}

func (j *judge) finish() []*Result {
	sizes := j.world.Sizes()
	for _, r := range j.results {
		r.Coupons, r.Sizes = j.coupons, sizes
		r.finish(len(j.events))
	}
	return j.results
}

// top returns the best candidates by score; of equals the one that begins first, then
// by id.
func (q *Query) top(scores []float64) []int32 {
	best := make([]int32, 0, Depth+1)
	at := make([]float64, 0, Depth+1)
	for i, c := range q.Candidates {
		s := scores[i]
		if math.IsInf(s, -1) || len(best) == Depth && s < at[Depth-1] {
			continue
		}
		k := len(best)
		for k > 0 && (at[k-1] < s || at[k-1] == s && q.before(c, best[k-1])) {
			k--
		}
		best, at = slices.Insert(best, k, c), slices.Insert(at, k, s)
		best, at = best[:min(len(best), Depth)], at[:min(len(at), Depth)]
	}
	return best
}

func (q *Query) before(a, b int32) bool {
	x, y := &q.Events[a], &q.Events[b]
	if x.begin != y.begin {
		return x.begin < y.begin
	}
	return x.ID < y.ID
}
