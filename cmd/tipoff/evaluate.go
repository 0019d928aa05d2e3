package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tipoff"
	"tipoff/evaluate"
	"tipoff/generator"
)

// evaluateMode measures rankers on recorded logs.
type evaluateMode struct {
	Logs []string `arg:"" type:"existingfile" name:"log" help:"Logs: one {\"kind\", \"at\", \"body\"} a line, plain or .gz."`
	evaluate.Measuring
}

func (evaluateMode) Help() string {
	return `Each coupon is first a question: which of the open events would this user bet on?
Only then it is learnt from. The main figures leave the first fifth of a log out, which is learnt
but not scored for them. The first 100, 1,000 and 10,000 coupons are reported apart.`
}

func (m *evaluateMode) Run(ctx context.Context, t *terminal) error {
	return evaluate.Measure(ctx, m.Logs, readLog, m.Measuring, t.out, t.errors)
}

// readLog reads a log into memory.
func readLog(ctx context.Context, path string) (*evaluate.Log, error) {
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".gz"), ".ndjson")
	log := &evaluate.Log{Name: name}
	how := tipoff.Reading{Now: time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC)}
	err := generator.ReadLog(path, nil, func(e generator.Entry) error {
		fact := evaluate.Fact{At: e.At}
		switch e.Kind {
		case "user":
			u, err := tipoff.DecodeUser(e.Body, how)
			if err != nil {
				return err
			}
			fact.User = &u
		case "event":
			v, err := tipoff.DecodeEvent(e.Body, how)
			if err != nil {
				return err
			}
			fact.Event = &v
		case "coupon":
			c, err := tipoff.DecodeCoupon(e.Body, how)
			if err != nil {
				return err
			}
			fact.Coupon = &c
		default:
			return fmt.Errorf("kind must be user, event or coupon, is %q", e.Kind)
		}
		log.Add(fact)
		return ctx.Err()
	})
	slices.SortStableFunc(log.Facts, func(a, b evaluate.Fact) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	return log, err
}
