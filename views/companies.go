// Package views keeps the tables of bettors, fixtures and models in memory, by company:
// an index of fixtures, the state of each bettor, and the model that ranks for him.
//
// What arrives is every change of the three tables, from each partition's own
// goroutine. What leaves is recommendations and what is known of users and
// events, without decoding anything. A change is visible to the next question
// after it was applied.
package views

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"tipoff/rank"
	"tipoff/state"
)

// ErrStale is what a value is that a former owner of its partition wrote after it
// had been taken over: it changes nothing, and its key should be written again.
var ErrStale = errors.New("written by a former owner")

// Views are the state of all companies.
type Views struct {
	mu        sync.RWMutex
	companies map[string]*company
	ranker    string    // [rank.RankerSimilar] ... [rank.RankerTipoff]
	learning  bool      // see [NewLearning]
	scratches sync.Pool // of [rank.Scratch]
	decoded   sync.Pool // of [state.Bettor]
	kept      kept
}

// company is the state of one company; its data never meets another's.
type company struct {
	mu     sync.RWMutex
	index  *rank.Index
	epochs map[uint64]uint64 // of the fixtures' values
	learnt *rank.Learnt      // what the learner's table says; does not change once it is here

	movement movement // of the learnt weights
	sampler  sampler  // of what is shown

	// Only of learning views:
	bettors  map[string][]byte         // values of the table: of few bettors more is asked
	fixtures map[uint64]*state.Fixture // values do not change once they are here
	clock    time.Time                 // events that have begun by then are not open
}

// New returns empty views.
func New() *Views {
	return &Views{
		companies: map[string]*company{},
		scratches: sync.Pool{New: func() any { return new(rank.Scratch) }},
		decoded:   sync.Pool{New: func() any { return new(state.Bettor) }},
		kept:      kept{seed: maphash.MakeSeed()},
	}
}

// RankBy sets how recommendations are ranked, by a name from [rank.RankerSimilar] to
// [rank.RankerTipoff]. It is to be called before the first question; else it is the latter.
func (v *Views) RankBy(ranker string) { v.ranker = ranker }

// company finds a company's state, nil if nothing of it has come yet.
func (v *Views) company(name string) *company {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.companies[name]
}

func (v *Views) makeCompany(name string) *company {
	if c := v.company(name); c != nil {
		return c
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.companies[name]
	if c == nil {
		c = &company{index: rank.NewIndex(), epochs: map[uint64]uint64{}, learnt: new(rank.Learnt)}
		if v.learning {
			c.bettors, c.fixtures = map[string][]byte{}, map[uint64]*state.Fixture{}
		}
		v.companies[name] = c
	}
	return c
}

func (v *Views) each(visit func(name string, c *company)) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for name, c := range v.companies {
		visit(name, c)
	}
}

// Size is how much a company has in memory.
type Size struct {
	Company                     string
	Bettors, Fixtures, OpenOnes int
}

// Sizes lists what every company has in memory.
func (v *Views) Sizes() []Size {
	var sizes []Size
	v.each(func(name string, c *company) {
		c.mu.RLock()
		defer c.mu.RUnlock()
		all, open := c.index.Len()
		sizes = append(sizes, Size{name, c.index.Bettors(), all, open})
	})
	return sizes
}

// tendEvery is how often events that have begun leave the open ones. Until then
// they cost time, but are never shown: that is checked when reading. It is done at whole
// seconds, as the terms kept by [rank.Index.Refresh] change with them.
const tendEvery = time.Second

// Tend takes events that have begun out of the open ones, until ctx ends.
func (v *Views) Tend(ctx context.Context) error {
	now := time.Now()
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(now.Truncate(tendEvery).Add(tendEvery).Sub(now)):
	}
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			v.kept.expire(now)
			v.each(func(_ string, c *company) {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.index.Begin(now)
				c.index.Refresh(now)
				c.index.Sweep()
			})
		}
	}
}
