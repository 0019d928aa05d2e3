package main

import (
	"context"

	"tipoff/evaluate"
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
	return evaluate.Measure(ctx, m.Logs, m.Measuring, t.out, t.errors)
}
