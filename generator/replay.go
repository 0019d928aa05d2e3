package generator

import (
	"cmp"
	"context"
	"time"

	"tipoff"
	"tipoff/recording"
)

// Replay posts a log in its order, batch facts at a time (0: as many as a post may
// hold), every time in it moved by shift. done is told the number of items after
// each post.
func Replay(ctx context.Context, c *Client, path string, shift time.Duration, batch int, done func(items int)) error {
	r := replay{ctx: ctx, client: c, shift: shift, batch: cmp.Or(batch, maxPost), done: done}
	if err := recording.Read(path, r.add); err != nil {
		return err
	}
	return r.flush()
}

// replay gathers facts and posts them a batch at a time: in each batch the users,
// then the events, then the coupons, so that nothing is sent before what it speaks
// of.
type replay struct {
	ctx     context.Context
	client  *Client
	shift   time.Duration
	batch   int
	done    func(int)
	users   []tipoff.User
	events  []tipoff.Event
	coupons []tipoff.Coupon
}

func (r *replay) add(f tipoff.Fact) error {
	recording.Shift(&f, r.shift)
	switch {
	case f.User != nil:
		r.users = append(r.users, *f.User)
	case f.Event != nil:
		r.events = append(r.events, *f.Event)
	default:
		r.coupons = append(r.coupons, *f.Coupon)
	}
	if len(r.users)+len(r.events)+len(r.coupons) >= r.batch {
		return r.flush()
	}
	return nil
}

func (r *replay) flush() error {
	if err := r.client.Users(r.ctx, r.users); err != nil {
		return err
	}
	if err := r.client.Events(r.ctx, r.events); err != nil {
		return err
	}
	if err := r.client.Coupons(r.ctx, r.coupons); err != nil {
		return err
	}
	r.done(len(r.users) + len(r.events) + len(r.coupons))
	r.users, r.events, r.coupons = nil, nil, nil
	return nil
}
