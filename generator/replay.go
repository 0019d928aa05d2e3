package generator

import (
	"cmp"
	"context"
	"time"

	"tipoff"
	"tipoff/recording"
)

// Replay posts a log in its order, most facts at a time (0: as many as a post may
// hold), every time in it moved by shift. done is told the number of items after
// each post.
func Replay(ctx context.Context, c *Client, path string, shift time.Duration, most int, done func(items int)) error {
	most = cmp.Or(most, maxPost)
	var b batch
	flush := func() error {
		err := b.post(ctx, c)
		if err == nil {
			done(b.size())
		}
		b = batch{}
		return err
	}
	err := recording.Read(path, func(f tipoff.Fact) error {
		recording.Shift(&f, shift)
		switch {
		case f.User != nil:
			b.users = append(b.users, *f.User)
		case f.Event != nil:
			b.events = append(b.events, *f.Event)
		default:
			b.coupons = append(b.coupons, *f.Coupon)
		}
		if b.size() < most {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
