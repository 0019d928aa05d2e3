package http

import (
	"context"
	"fmt"
	"log/slog"
)

// quiet sends fasthttp's chatter, which clients cause, to the debug level. Its errors
// may quote what a client sent, headers with keys too: only their types are told.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(form string, args ...any) {
	if !q.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	for i, arg := range args {
		switch arg.(type) {
		case error, string, []byte:
			args[i] = fmt.Sprintf("%T", arg)
		}
	}
	q.log.Debug(fmt.Sprintf(form, args...))
}
