package main

import (
	"context"
	"fmt"
	"time"

	"tipoff/generator"
	"tipoff/progress"
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
	entries := 0
	if err := generator.ReadLog(m.Log, nil, func(generator.Entry) error { entries++; return ctx.Err() }); err != nil {
		return err
	}
	var shift time.Duration
	if !m.AsIs {
		last, err := generator.LastCoupon(m.Log, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Log, err)
		}
		shift = time.Since(last)
	}
	c, began := m.client(), time.Now()
	bar := progress.New(t.errors, "replaying", entries)
	err := generator.Replay(ctx, c, m.Log, shift, m.Post, bar.Add)
	bar.End()
	if err != nil {
		return err
	}
	return c.Report(t.out, time.Since(began))
}
