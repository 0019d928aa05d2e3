package broker

import (
	"context"
	"time"

	"github.com/sethvargo/go-retry"
)

// Backoff is the growing pause between attempts at whatever needs the broker.
func Backoff() retry.Backoff {
	return retry.WithCappedDuration(3*time.Second, retry.NewExponential(200*time.Millisecond))
}

// untilDone tries with a growing pause until it works, or ctx ends: then the error is
// the last one, as it says more than that.
func untilDone(ctx context.Context, try func() error) error {
	var last error
	err := retry.Do(ctx, Backoff(), func(context.Context) error {
		last = try()
		return retry.RetryableError(last)
	})
	if last != nil {
		return last
	}
	return err
}

// inTime returns what a call says that cannot be told to end. Where ctx ends before, the call
// is left to its own bound of time.
func inTime[T any](ctx context.Context, call func() (T, error)) (none T, err error) {
	if err := ctx.Err(); err != nil {
		return none, err
	}
	type said struct {
		value T
		err   error
	}
	done := make(chan said, 1)
	go func() {
		value, err := call()
		done <- said{value, err}
	}()
	select {
	case s := <-done:
		return s.value, s.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
