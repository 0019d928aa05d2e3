package main

import (
	"context"
	"fmt"
	"time"

	"tipoff/generator"
	"tipoff/progress"
	"tipoff/recording"
)

// replayMode posts a recorded log.
type replayMode struct {
	target
	Log  string `arg:"" type:"existingfile" help:"The log: one {\"kind\", \"at\", \"body\"} a line, plain or .gz."`
	AsIs bool   `help:"Leave all times as they are. Else they are moved so that the last coupon is now."`
	Post int    `default:"0" placeholder:"N" help:"Facts a post; 1 keeps their order to the last one, 0 is fastest (default ${default})."`
}

func (replayMode) Help() string {
	return `Reads a log of users, events and coupons and posts it in its order. With times moved,
the events of the log's last days are open now; as they are, all may be past.`
}

func (m *replayMode) Run(ctx context.Context, t *terminal) error {
	c := m.client()
	if err := c.Reach(); err != nil {
		return err
	}
	extent, err := recording.Measure(ctx, m.Log)
	if err != nil {
		return err
	}
	var shift time.Duration
	if !m.AsIs {
		if extent.LastCoupon.IsZero() {
			return fmt.Errorf("%s: the log has no coupon", m.Log)
		}
		shift = time.Since(extent.LastCoupon)
	}
	began := time.Now()
	bar := progress.New(t.errors, "replaying", extent.Facts)
	err = generator.Replay(ctx, c, m.Log, shift, m.Post, bar.Add)
	bar.End()
	if err != nil {
		return err
	}
	return c.Report(t.out, time.Since(began))
}
