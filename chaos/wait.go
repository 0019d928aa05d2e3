package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sethvargo/go-retry"
)

// eventually tries until it succeeds; the error is the last one, once ctx has ended.
func eventually(ctx context.Context, what string, try func() error) error {
	var last error
	err := retry.Do(ctx, retry.NewConstant(100*time.Millisecond), func(context.Context) error {
		last = try()
		return retry.RetryableError(last)
	})
	if err != nil {
		return fmt.Errorf("%s: not in time: %w", what, errors.Join(last, err))
	}
	return nil
}
