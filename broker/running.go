package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// State is how a processor or a view is doing, for readiness.
type State struct {
	Ready  bool
	Detail string // what it does, or why it is not ready
	Lag    int64  // records it has still to read, when last looked at
	Looked bool   // Lag is known

	Failing bool          // something is wrong, as far as is known: it has not only just begun
	Behind  bool          // it works, but is further behind than it may be
	Oldest  time.Duration // of the oldest record that it was given and has not finished
	Spared  bool          // the process serves on although this is not ready
	Answers bool          // recommendations are made of this
	AsOf    time.Time     // if so, the newest moment of which all is known to be here; zero: none yet
}

// Supervised runs for as long as its context lives, however often it ends.
type Supervised struct{ restarts atomic.Int64 }

// Restarts is how often it has ended and was started again.
func (s *Supervised) Restarts() int64 { return s.restarts.Load() }

// supervise runs one life after another until ctx ends, with a pause after each
// that fails. goka's processors and views can be run once only, so each life creates
// another one.
func (s *Supervised) supervise(ctx context.Context, log *slog.Logger, name string, say func(State), life func(context.Context) error) {
	pauses, inRow := Backoff(), 0
	for ctx.Err() == nil {
		began := time.Now()
		err := brief(life(ctx))
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > time.Minute {
			pauses, inRow = Backoff(), 0
		}
		inRow++
		s.restarts.Add(1)
		say(State{Failing: true, Detail: fmt.Sprintf("ended %d times in a row, is being started again: %v", inRow, err)})
		log.Error("ended, is being started again", "part", name, "in_a_row", inRow, "error", err)
		pause, _ := pauses.Next()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	say(State{Detail: "stopped"})
}

// quiet sends goka's chatter to the debug level.
type quiet struct{ log *slog.Logger }

func (q quiet) Print(words ...any)              { q.log.Debug(fmt.Sprint(words...)) }
func (q quiet) Println(words ...any)            { q.log.Debug(fmt.Sprint(words...)) }
func (q quiet) Printf(form string, args ...any) { q.log.Debug(fmt.Sprintf(form, args...)) }
