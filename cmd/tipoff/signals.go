package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tipoff/node"
)

// untilSignal returns a context that ends when the process is asked to end; its cause
// is [node.ErrTerminated] if SIGTERM asks. A second signal ends the process at once.
func untilSignal() (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer signal.Stop(signals)
		select {
		case s := <-signals:
			if s == syscall.SIGTERM {
				cancel(node.ErrTerminated)
			} else {
				cancel(context.Canceled)
			}
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// outlastTerminal keeps a service from ending with the terminal, or the session, that
// it was started in.
func outlastTerminal() { signal.Ignore(syscall.SIGHUP) }
