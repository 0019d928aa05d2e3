package views

import (
	"fmt"
	"time"

	"tipoff/rank"
	"tipoff/topics"
)

// PutModel applies a value of the learner's table; nil forgets it. The error is
// [ErrStale], or names a value that cannot be read; both change nothing.
func (v *Views) PutModel(key string, value []byte, now time.Time) error {
	name, id, ok := topics.SplitKey(key)
	if !ok || id != topics.ModelID {
		return fmt.Errorf("model %q: the key is not company/%s", key, topics.ModelID)
	}
	learnt := new(rank.Learnt)
	if value != nil {
		var err error
		if learnt, err = rank.UnmarshalLearnt(value); err != nil {
			return fmt.Errorf("model %q: %w", key, err)
		}
	}
	c := v.makeCompany(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if value != nil && learnt.Epoch < c.learnt.Epoch {
		return fmt.Errorf("model %q: %w", key, ErrStale)
	}
	if c.learnt = learnt; learnt.Model != nil {
		c.movement.add(learnt.Model.AlwaysWeights(), now)
	} else {
		c.movement = movement{}
	}
	return nil
}

// LearningStats is how well the learner does for one company, as its table says.
type LearningStats struct {
	Company   string
	Steps     uint64             // coupons learnt from, ever
	Hour, Day rank.LiveSpan      // before the newest coupon, by the coupons' clock
	Rankers   map[string]float64 // running NDCG@10 of every way to rank that is compared
	Leader    string             // of them, the one that serves
}

// LearningStats says how well the learner does for every company that it knows.
func (v *Views) LearningStats() (all []LearningStats) {
	v.each(func(name string, c *company) {
		c.mu.RLock()
		defer c.mu.RUnlock()
		m := c.learnt.Model
		if m == nil {
			return
		}
		stats := LearningStats{
			Company: name, Steps: m.Steps,
			Hour: c.learnt.Live.Over(time.Hour), Day: c.learnt.Live.Over(24 * time.Hour),
			Rankers: map[string]float64{}, Leader: rank.ComparedRankers[m.Leader()],
		}
		for e, name := range rank.ComparedRankers {
			stats.Rankers[name] = m.Quality[e].NDCG()
		}
		all = append(all, stats)
	})
	return all
}
