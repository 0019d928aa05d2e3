package broker

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// State is how a processor or a view is doing, for readiness.
type State struct {
	Ready  bool
	Detail string // what it does, or why it is not ready
	Lag    int64  // records it has still to read, when last looked at
}

// supervise runs one life after another until ctx ends, with a pause after each
// that fails. goka's processors and views can be run once only, so each life is
// built anew.
func supervise(ctx context.Context, log *slog.Logger, name string, say func(State), life func(context.Context) error) {
	pause := newBackoff()
	for ctx.Err() == nil {
		began := time.Now()
		err := life(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > time.Minute {
			pause = newBackoff()
		}
		say(State{Detail: fmt.Sprintf("ended, is being started again: %v", err)})
		log.Error("ended, is being started again", "part", name, "error", err)
		pause.wait(ctx)
	}
	say(State{Detail: "stopped"})
}

// quiet sends goka's chatter to the debug level.
type quiet struct{ log *slog.Logger }

func (q quiet) Print(words ...any)              { q.log.Debug(fmt.Sprint(words...)) }
func (q quiet) Println(words ...any)            { q.log.Debug(fmt.Sprint(words...)) }
func (q quiet) Printf(form string, args ...any) { q.log.Debug(fmt.Sprintf(form, args...)) }
