package node

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sethvargo/go-retry"

	"tipoff/http"
	"tipoff/rejected"
	"tipoff/sink"
	"tipoff/topics"
)

// tableSets is what a process does for each table set that the control topic names:
// its processors, its views, or both. When another table set shall serve, the gateway
// answers from that one once its views have caught up, and not before.
type tableSets struct {
	node       *Node
	processors bool
	learner    bool
	archive    *sink.Archive // nil: this process is no gateway
	letters    *rejected.Recent
	fresh      func(table string, received time.Time)
	news       chan topics.TableSets // the newest that is not acted on yet
	serving    atomic.Int64          // number of the table set that this process works for
	served     topics.TableSet       // that one
	running    map[int]*runningSet
}

// startTableSets starts what the control topic says now, and follows it.
func (n *Node) startTableSets(ctx context.Context, has map[Role]bool, db *sink.Database) error {
	s := &tableSets{node: n, processors: has[Processors], learner: has[Learner], news: make(chan topics.TableSets, 1), running: map[int]*runningSet{}}
	if has[API] {
		s.archive, s.fresh = sink.NewArchive(db, archivePatience), n.measureViews()
		s.letters = rejected.NewRecent(n.cluster, n.publisher)
		n.onEnd("dead letters", s.letters.Close)
		n.measureLearning()
	}
	now, err := n.cluster.TableSets()
	if err != nil {
		return err
	}
	if has[API] || has[Learner] {
		err = n.settings.checkShares(now.Serving, n.cluster.Partitions())
	}
	if err = cmp.Or(err, ctx.Err()); err != nil {
		return err
	}
	n.onEnd("table sets", s.end)
	s.served = now.Serving
	s.serving.Store(int64(now.Serving.Number))
	for _, one := range now.Running() {
		s.start(one)
	}
	s.open(now.Serving)
	n.Go("control", s.follow)
	return nil
}

func (s *tableSets) follow(ctx context.Context) error {
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() {
		s.node.cluster.FollowTableSets(ctx, func(now topics.TableSets) {
			select {
			case <-s.news: // is no longer the newest
			default:
			}
			s.news <- now
		})
	})
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-s.news:
			s.change(ctx, now)
		}
	}
}

// change starts and ends table sets so that those run that shall. It returns early
// when there is newer news.
func (s *tableSets) change(ctx context.Context, now topics.TableSets) {
	err := retry.Do(ctx, retry.NewConstant(time.Second), func(context.Context) error {
		err := s.node.cluster.EnsureTopics()
		if err != nil {
			s.node.log.Error("the topics of a table set cannot be used yet, trying again", "error", err)
		}
		return retry.RetryableError(err)
	})
	if err != nil {
		return
	}
	shall := map[int]bool{}
	for _, one := range now.Running() {
		shall[one.Number] = true
		if s.running[one.Number] == nil {
			s.node.log.Info("a table set is being filled", "table_set", one.Number)
			s.start(one)
		}
	}
	if int(s.serving.Load()) != now.Serving.Number {
		if !s.caughtUp(ctx, s.running[now.Serving.Number]) {
			return
		}
		s.served = now.Serving
		s.serving.Store(int64(now.Serving.Number))
		s.open(now.Serving)
		s.node.log.Info("another table set serves", "table_set", now.Serving.Number)
		s.node.mended()
	}
	for number, one := range s.running {
		if !shall[number] {
			one.stop()
			delete(s.running, number)
		}
	}
}

// caughtUp waits until the table set's views hold all that its tables hold now. It is
// false when there is newer news first.
func (s *tableSets) caughtUp(ctx context.Context, one *runningSet) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		for _, v := range one.follows {
			if err := v.CatchUp(ctx); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			return err == nil
		case <-ticker.C:
			if len(s.news) > 0 {
				cancel()
			}
		}
	}
}

// open lets the gateway answer from the table set.
func (s *tableSets) open(serving topics.TableSet) {
	if s.archive == nil {
		return
	}
	v := s.running[serving.Number].views
	s.node.views.Store(v)
	s.node.api.Store(&http.API{Publisher: s.node.publisher, Recommender: v, Archive: s.archive, DeadLetters: s.letters, Journeys: &s.node.journeys})
}

func (s *tableSets) end() error {
	var ending sync.WaitGroup
	for _, one := range s.running {
		ending.Go(one.stop)
	}
	ending.Wait()
	return nil
}
