package node

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tipoff"
	"tipoff/http"
	"tipoff/rank"
	"tipoff/state"
	"tipoff/topics"
	"tipoff/views"
)

// stage is a place on a coupon's way.
type stage int

const (
	stageAccepted stage = iota
	stageTopic
	stageTable
	stageView
	stageLearnt
	stageDatabase
	stages
)

var stageNames = [stages]string{"accepted", "on the topic", "bettor's table", "view of the gateway", "learnt", "in the database"}

// Bounds of what is followed.
const (
	mostJourneys = 256
	journeyFor   = time.Minute
)

// journeys follow the last coupons that this gateway was sent while somebody looks.
// For all other records it costs the look at a flag, and while coupons are followed a
// look into a map of their users.
type journeys struct {
	on     atomic.Bool
	newest atomic.Int64 // when the last one was posted, Unix nanoseconds

	mu     sync.RWMutex
	all    []*journey // the oldest first
	byUser map[string][]*journey
}

// journey is one coupon's.
type journey struct {
	user   string // the key of its record
	coupon string
	ref    uint64 // [state.CouponIDRef]
	at     [stages]time.Time
	asked  bool // somebody looks at it: others give way first
}

// Posted begins to follow a coupon.
func (j *journeys) Posted(company, user, coupon string) {
	now, key := time.Now(), topics.Key(company, user)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forget(now)
	if one := j.find(key, coupon); one != nil {
		if one.published() {
			return // a repeat: the first one stands
		}
		j.remove(slices.Index(j.all, one)) // the broker did not take it then
	}
	if len(j.all) == mostJourneys {
		// the oldest that nobody looks at; where each is looked at, the oldest: who sent the new one will look too
		j.remove(max(0, slices.IndexFunc(j.all, func(o *journey) bool { return !o.asked })))
	}
	one := &journey{user: key, coupon: coupon, ref: state.CouponIDRef(coupon)}
	one.at[stageAccepted] = now
	if j.byUser == nil {
		j.byUser = map[string][]*journey{}
	}
	j.all, j.byUser[key] = append(j.all, one), append(j.byUser[key], one)
	j.newest.Store(now.UnixNano())
	j.on.Store(true)
}

// published says whether the broker has the coupon, as was said or is seen by what came of
// it: a post may be answered that it does not, and arrive all the same.
func (one *journey) published() bool {
	return slices.ContainsFunc(one.at[stageTopic:], func(at time.Time) bool { return !at.IsZero() })
}

// OnTopic notes that the broker has a coupon.
func (j *journeys) OnTopic(company, user, coupon string) {
	j.reached(stageTopic, topics.Key(company, user), state.CouponIDRef(coupon))
}

// find returns a coupon's journey, nil if it is not followed. j.mu is held.
func (j *journeys) find(user, coupon string) *journey {
	for _, one := range j.byUser[user] {
		if one.coupon == coupon {
			return one
		}
	}
	return nil
}

// remove ends a journey. j.mu is held.
func (j *journeys) remove(i int) {
	one := j.all[i]
	j.all = slices.Delete(j.all, i, i+1)
	left := slices.DeleteFunc(j.byUser[one.user], func(other *journey) bool { return other == one })
	if j.byUser[one.user] = left; len(left) == 0 {
		delete(j.byUser, one.user)
	}
}

// forget ends what began too long ago. j.mu is held.
func (j *journeys) forget(now time.Time) {
	for len(j.all) > 0 && now.Sub(j.all[0].at[stageAccepted]) > journeyFor {
		j.remove(0)
	}
	j.on.Store(len(j.all) > 0)
}

// of lists what is followed of a user, by the key of his records; nil: nothing is.
func (j *journeys) of(user string) []*journey {
	if !j.on.Load() {
		return nil
	}
	now := time.Now()
	if now.Sub(time.Unix(0, j.newest.Load())) > journeyFor {
		j.mu.Lock()
		j.forget(now)
		j.mu.Unlock()
		return nil
	}
	j.mu.RLock()
	defer j.mu.RUnlock()
	return slices.Clone(j.byUser[user])
}

// reached notes that a coupon has come to a stage; the first time counts.
func (j *journeys) reached(at stage, user string, coupon uint64) {
	for _, one := range j.of(user) {
		if state.SameCouponID(one.ref, coupon) {
			j.note(one, at)
		}
	}
}

func (j *journeys) note(one *journey, at stage) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if one.at[at].IsZero() {
		one.at[at] = time.Now()
	}
}

// value notes which followed coupons a value of the bettors' table holds.
func (j *journeys) value(at stage, key string, value []byte) {
	followed := j.of(key)
	if len(followed) == 0 || value == nil {
		return
	}
	bettor, err := state.UnmarshalBettor(value)
	if err != nil {
		return // whoever reads the table says so
	}
	for _, one := range followed {
		if slices.ContainsFunc(bettor.Bets, func(b state.Bet) bool { return state.SameCouponID(b.Coupon, one.ref) }) {
			j.note(one, at)
		}
	}
}

// saved notes that the database has a coupon.
func (j *journeys) saved(company string, c *tipoff.Coupon) {
	if j.on.Load() {
		j.reached(stageDatabase, topics.Key(company, c.UserID), state.CouponIDRef(c.ID))
	}
}

// Journey says how far a coupon has come.
func (j *journeys) Journey(company, user, coupon string) (way []http.Stage, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forget(time.Now())
	one := j.find(topics.Key(company, user), coupon)
	if one == nil || !one.published() {
		return nil, false
	}
	one.asked = true
	for i, name := range stageNames {
		s := http.Stage{Stage: name}
		if at := one.at[i]; !at.IsZero() {
			millis := math.Round(float64(at.Sub(one.at[stageAccepted]).Microseconds())/10) / 100
			at = at.UTC()
			s.At, s.Millis = &at, &millis
		}
		way = append(way, s)
	}
	return way, true
}

// followedTrainer notes which coupons were learnt from.
type followedTrainer struct {
	*views.Views
	journeys *journeys
}

func (t followedTrainer) Learn(company string, choice *state.Choice, model *rank.Model) rank.Grade {
	grade := t.Views.Learn(company, choice, model)
	t.journeys.reached(stageLearnt, topics.Key(company, choice.UserID), choice.Coupon)
	return grade
}
