package processors_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"tipoff/broker"
	"tipoff/processors"
	"tipoff/rank"
	"tipoff/state"
	"tipoff/topics"
)

// diary is a trainer that notes each coupon in the model: how many there were, and the
// sums of their numbers and of the squares of these, so that none can be missing or be
// there twice unnoticed.
type diary struct {
	mu   sync.Mutex
	last map[string]int64 // by company, the newest coupon
}

func (d *diary) Learn(company string, c *state.Choice, m *rank.Model) rank.Grade {
	n := c.Offset
	m.Steps += note(n)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last[company] = max(d.last[company], n)
	return rank.Grade{Targets: 1, HR: 1, NDCG: 1}
}

// reached returns nil once every company has learnt from the coupons up to a number.
func (d *diary) reached(companies []string, number int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, company := range companies {
		if n := d.last[company]; n != number {
			return fmt.Errorf("%s has learnt up to %d of %d", company, n, number)
		}
	}
	return nil
}

func note(number int64) uint64 { return uint64(1 | number<<16 | number*number<<40) }

// startLearner starts a process that learns.
func (w *world) startLearner(d *diary) *process {
	w.Helper()
	p := &process{ended: make(chan struct{})}
	var ctx context.Context
	ctx, p.end = context.WithCancel(context.Background())
	cluster := w.connect(p.way.dial)
	owner := cluster.NewOwner(broker.TableValues{Epoch: state.Epoch, Check: state.CheckVersion}, func(string) {})
	processor := cluster.NewProcessor(processors.NewLearner(d, nil).Graph(owner, topics.TableSet{}), owner)
	go func() {
		defer close(p.ended)
		_ = processor.Run(ctx)
		_ = cluster.Close()
	}()
	w.live = append(w.live, p)
	return p
}

// choose publishes the coupon of a number as the bettors do.
func (w *world) choose(company string, number int64) {
	w.Helper()
	now := time.Now()
	choice := state.NewChoice([]state.Leg{
		{Cause: state.Cause{Position: state.Position{Source: 1, Offset: number}}, UserID: "u", EventID: "e", At: now.Unix()},
	})
	w.publish(topics.Record{Topic: topics.Choices, Key: topics.Key(company, topics.ModelID), Value: state.MarshalMessage(choice), Received: now})
}

// chosen are the ends of the topic of choices, and what the learner has committed.
func (w *world) chosen() (ends, committed [partitions]int64) {
	info := w.kafka.GroupInfo(topics.GroupLearner)
	for p := range int32(partitions) {
		ends[p] = w.kafka.PartitionInfo(topics.Choices, p).HighWatermark
		if info != nil {
			committed[p] = info.Commits[topics.Choices][p].Offset
		}
	}
	return ends, committed
}

// TestLearner_NoLearningIsLostOrDoneTwiceWhenItsProcessEnds ends the learner, abruptly
// and as it should end, while most of what it has learnt is not saved.
func TestLearner_NoLearningIsLostOrDoneTwiceWhenItsProcessEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	companies := []string{"a", "b", "c", "d"} // several to a partition
	const half = 25
	number, d := int64(0), &diary{last: map[string]int64{}}
	for life := range 4 {
		p := w.startLearner(d)
		learn := func() {
			for range half {
				number++
				for _, company := range companies {
					w.choose(company, number)
				}
			}
		}
		learn()
		for _, company := range companies {
			w.publish(processors.RewriteModel(topics.TableSet{}, topics.Key(company, topics.ModelID)))
		}
		saved, _ := w.chosen()
		learn()
		w.eventually(30*time.Second, func() error {
			if err := d.reached(companies, number); err != nil {
				return err
			}
			if _, committed := w.chosen(); committed != saved {
				return fmt.Errorf("%v are committed, want what is saved, %v", committed, saved)
			}
			return nil
		})
		if life%2 == 0 {
			w.kill(p)
		} else {
			w.stop(p)
		}
		if _, committed := w.chosen(); committed != saved {
			t.Errorf("after the end %v are committed, want what is saved, %v", committed, saved)
		}
	}
	w.startLearner(d)
	w.wantLearnt(companies, number)
}

// TestLearner_NoLearningIsLostOrDoneTwiceWhenCompaniesChangeHands lets processes come
// and go, so that partitions are handed over while most is not saved.
func TestLearner_NoLearningIsLostOrDoneTwiceWhenCompaniesChangeHands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	companies := []string{"a", "b", "c", "d"}
	number, d := int64(0), &diary{last: map[string]int64{}}
	for life := range 5 {
		w.startLearner(d)
		for range 20 {
			number++
			for _, company := range companies {
				w.choose(company, number)
			}
		}
		if len(w.live) > 1 {
			w.publish(processors.RewriteModel(topics.TableSet{}, topics.Key(companies[life%4], topics.ModelID)))
			w.eventually(30*time.Second, func() error {
				if info := w.kafka.GroupInfo(topics.GroupLearner); info == nil || info.State != "Stable" || len(info.Members) != len(w.live) {
					return fmt.Errorf("the group is %+v", info)
				}
				return d.reached(companies, number)
			})
			w.stop(w.live[0])
		}
	}
	w.wantLearnt(companies, number)
}

// wantLearnt asks for everything to be saved, and wants each coupon in it once.
func (w *world) wantLearnt(companies []string, number int64) {
	w.Helper()
	for _, company := range companies {
		w.publish(processors.RewriteModel(topics.TableSet{}, topics.Key(company, topics.ModelID)))
	}
	w.eventually(30*time.Second, func() error {
		if ends, committed := w.chosen(); ends != committed {
			return fmt.Errorf("%v of %v are committed", committed, ends)
		}
		return nil
	})
	want := uint64(0)
	for n := int64(1); n <= number; n++ {
		want += note(n)
	}
	for _, company := range companies {
		value := w.table(topics.TableLearner, company)[topics.Key(company, topics.ModelID)]
		learnt, err := rank.UnmarshalLearnt(value)
		if err != nil {
			w.Fatal(err)
		}
		if got, grades := learnt.Model.Steps, learnt.Live.Over(time.Hour).Coupons; got != want || grades != uint64(number) {
			w.Errorf("%s: %d coupons, their notes %x, want %d, %x; %d grades", company, got&0xffff, got, number, want, grades)
		}
	}
}
