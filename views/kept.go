package views

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
	"time"

	"tipoff"
	"tipoff/rank"
)

// Answers are kept for whoever asks the same again, as an app does that redraws its page.
// One holds until the bettor's state changes, one of its events does, or begins, or another
// event is posted, and for [keptFor] at the most, as others go on betting meanwhile.

const (
	keptFor     = time.Second
	keptAnswers = 1 << 14 // a newer one takes the place of an older one
	keptItems   = 20      // of an answer; longer ones are not kept
)

// kept are answers, each at the place that its question's hash says.
type kept struct {
	seed    maphash.Seed
	answers [keptAnswers]atomic.Pointer[keptAnswer]
}

// question is what an answer depends on, besides the state and the moment.
type question struct {
	company, user, sport, league, country string
	n, maxPerLeague                       int
	within                                time.Duration
	diversity                             float64
	followed                              bool
}

type keptAnswer struct {
	question
	at      time.Time
	version uint64 // see [versionOf]
	posted  uint64 // see [rank.Index.Posted]
	answer  tipoff.Recommendation
}

// versionOf tells one state of a bettor from another; 0: nothing is known of him.
func versionOf(b *rank.Bettor) uint64 {
	if b == nil {
		return 0
	}
	return b.Version
}

// questionOf is false for questions whose answers are not kept.
func questionOf(company string, q *tipoff.Query) (question, bool) {
	return question{
		company, q.UserID, q.Sport, q.League, q.Country,
		q.N, q.MaxPerLeague, q.Within, q.Diversity, q.Followed,
	}, len(q.Exclude) == 0 && q.N <= keptItems && !q.Fresh && q.Ranker == ""
}

// own returns the question with texts of its own: those asked with are parts of a request.
func (q question) own() question {
	q.company, q.user, q.sport = strings.Clone(q.company), strings.Clone(q.user), strings.Clone(q.sport)
	q.league, q.country = strings.Clone(q.league), strings.Clone(q.country)
	return q
}

// expire lets go of what does not hold any more.
func (k *kept) expire(now time.Time) {
	for i := range k.answers {
		if a := k.answers[i].Load(); a != nil && now.Sub(a.at) >= keptFor {
			k.answers[i].CompareAndSwap(a, nil)
		}
	}
}

func (k *kept) place(q *question) *atomic.Pointer[keptAnswer] {
	return &k.answers[maphash.Comparable(k.seed, *q)%keptAnswers]
}

// holds says whether the answer is still that to its question. The company's lock is
// held.
func (a *keptAnswer) holds(c *company, q *question, version uint64, now time.Time) bool {
	if a == nil || a.question != *q || a.version != version || a.posted != c.index.Posted() {
		return false
	}
	if age := now.Sub(a.at); age < 0 || age >= keptFor {
		return false
	}
	for i := range a.answer.Items {
		if !c.index.Offers(a.answer.Items[i].Event, now) {
			return false
		}
	}
	return true
}
