package rejected

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff"
	"tipoff/broker"
	"tipoff/topics"
)

// looks read the newest rejections for all who ask: one look at a time, and all who ask
// while it is under way share the next one. So each sees what was there when he asked, and
// the broker and the memory have the work of two at the most.
type looks struct {
	cluster *broker.Cluster
	life    context.Context // ends with Close
	end     context.CancelFunc
	going   sync.WaitGroup // the one who looks, and a retry

	mu      sync.Mutex
	next    *look // that has not begun; nil: nobody waits for one
	looking bool
	closed  bool
}

// look is what the newest records of the topic say, for all companies.
type look struct {
	done    chan struct{} // closed when the rest is there
	letters map[string][]letter
	older   int64 // records that were not read
	err     error
}

var errClosed = tipoff.Unavailable("look at rejections", errors.New("this process is about to end"))

// closePatience bounds the wait for a retry, as others have to end after it.
const closePatience = time.Second

// Close ends the reading, and waits a moment for a retry that publishes, so that it is noted.
func (s *looks) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.going.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-time.After(closePatience):
		return errors.New("a retry of a rejected record was not over: it may have been published without being noted")
	}
}

// start begins something that Close waits for, unless it was called already.
func (s *looks) start(work func()) (begun bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.going.Go(work)
	}
	return !s.closed
}

// look returns the newest rejections of a company in the order of the topic, which are the
// asker's own.
func (s *looks) look(ctx context.Context, company string) (letters []letter, older int64, err error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, 0, errClosed
	}
	if s.next == nil {
		s.next = &look{done: make(chan struct{})}
	}
	mine := s.next
	if !s.looking {
		s.looking = true
		s.going.Go(s.lookForAll)
	}
	s.mu.Unlock()
	waiting := time.NewTimer(2 * recentPatience) // of the one before, and of this one
	defer waiting.Stop()
	select {
	case <-mine.done:
		return slices.Clone(mine.letters[company]), mine.older, mine.err
	case <-waiting.C:
		return nil, 0, fmt.Errorf("look at rejections: %w", tipoff.ErrBusy)
	case <-ctx.Done():
		return nil, 0, tipoff.Unavailable("look at rejections", ctx.Err())
	}
}

// lookForAll looks for as long as somebody waits for it.
func (s *looks) lookForAll() {
	for {
		s.mu.Lock()
		mine := s.next
		s.next, s.looking = nil, mine != nil
		s.mu.Unlock()
		if mine == nil {
			return
		}
		if err := caught(func() error { return mine.take(s.life, s.cluster) }); err != nil {
			mine.err = err
		}
		close(mine.done)
	}
}

// caught does something in a goroutine that is not a request's own, in which a fault would
// be caught.
func caught(work func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("look at rejections: %v\n%s", fault, debug.Stack())
		}
	}()
	return work()
}

// take reads the newest rejections.
func (l *look) take(ctx context.Context, c *broker.Cluster) error {
	ctx, cancel := context.WithTimeout(ctx, recentPatience)
	defer cancel()
	stored, older, err := c.Last(ctx, topics.Rejected, tipoff.MaxDeadLettersLooked, tipoff.MaxDeadLetterBytes)
	if err != nil {
		return tipoff.Unavailable("read "+topics.Rejected, err)
	}
	l.older, l.letters = older, lettersOf(stored)
	return nil
}

// lettersOf returns the rejections among records of the topic, by company.
func lettersOf(stored []broker.Stored) map[string][]letter {
	byCompany := map[string][]letter{}
	last := map[[2]string]int{} // of each company's ids
	for _, s := range stored {
		l := letter{rejection: rejection{At: s.Appended.UTC(), on: position{s.Partition, s.Offset, s.Appended.UTC()}}}
		if json.Unmarshal(s.Value, &l.Rejection) != nil {
			continue
		}
		company, _, ok := topics.SplitKey(l.Key)
		if !ok {
			continue
		}
		l.ID = l.Rejection.ID()
		if l.Received.IsZero() {
			l.Received = l.At
		}
		letters, id := byCompany[company], [2]string{company, l.ID}
		before, there := last[id]
		switch {
		case !l.Retried.IsZero():
			if there {
				letters[before].retried = l.Retried
			}
			continue
		case there:
			letters[before].newer = l.number()
		}
		last[id] = len(letters)
		byCompany[company] = append(letters, l)
	}
	return byCompany
}
