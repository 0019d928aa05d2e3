package node

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// end finishes one thing that was started.
type end struct {
	name   string
	finish func() error
}

// onEnd has something finished when the node ends, or at once if it has ended: a start
// that was given up may still come to this.
func (n *Node) onEnd(name string, finish func() error) {
	n.mu.Lock()
	if !n.ended {
		n.ends = append(n.ends, end{name, finish})
		n.mu.Unlock()
		return
	}
	n.mu.Unlock()
	if err := finish(); err != nil {
		n.log.Warn("what was started too late did not end well", "part", name, "error", err)
	}
}

// Go runs something until the node ends; should it fail, the node does.
func (n *Node) Go(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := run(ctx); err != nil && ctx.Err() == nil {
			n.fatal <- fmt.Errorf("%s: %w", name, err)
		}
	}()
	n.onEnd(name, func() error {
		cancel()
		<-done
		return nil
	})
}

// Stop ends the node, and says so. It returns why it was asked to, or else what did
// not end well.
func (n *Node) Stop(why error) error {
	began := time.Now()
	n.log.Info("stopping")
	if err := n.close(); err != nil {
		n.log.Error("not everything ended as it should", "error", err)
		if why == nil {
			why = err
		}
	}
	n.log.Info("stopped", "took", time.Since(began).Round(time.Millisecond))
	return why
}

// close first lets the gateway finish its requests, then ends everything in the
// reverse order of its start, each with what was handed to it.
func (n *Node) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), EndWithin-500*time.Millisecond)
	defer cancel()
	var errs []error
	if n.server != nil {
		serving, cancel := context.WithTimeout(ctx, EndWithin/4)
		if err := n.server.Close(serving); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			errs = append(errs, fmt.Errorf("gateway: %w", err))
		}
		cancel()
	}
	n.mu.Lock()
	n.ended = true
	ends := n.ends
	n.mu.Unlock()
	for i := len(ends) - 1; i >= 0; i-- {
		if err := ends[i].within(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", ends[i].name, err))
		}
	}
	return errors.Join(errs...)
}

// within finishes, or gives up when ctx ends: a broker that is away must not keep
// the process.
func (e end) within(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- e.finish() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errors.New("did not end in time")
	}
}
