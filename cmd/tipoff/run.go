package main

import (
	"context"
	"fmt"
	"time"

	"tipoff/generator"
	"tipoff/node"
	"tipoff/progress"
)

// runMode runs everything in one process.
type runMode struct {
	Demo bool `help:"When nothing is there yet, simulate a sportsbook; then keep a trickle of live bets going."`
	node.Settings
}

func (runMode) Help() string {
	return `Gateway, processors and sink in one process. Without KAFKA_BOOTSTRAP_SERVERS the
broker is in the process too and keeps its log under TIPOFF_DATA; without
DATABASE_URL the database is SQLite there. What was acknowledged survives a restart
and the death of the process.`
}

// Size of the simulated sportsbook.
const (
	demoBettors  = 1_000
	demoFixtures = 500
	demoDays     = 7
	demoCoupons  = 20_000
	demoEvery    = 200 * time.Millisecond // between live bets
)

func (m *runMode) Run(ctx context.Context, t *terminal) error {
	s := &m.Settings
	s.Log = t.logger(s.Logs)
	n, err := node.Start(ctx, s, node.AllRoles...)
	if err != nil {
		return err
	}
	if err := n.Ready(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil
		}
		return n.Stop(err)
	}
	s.Log.Info("ready", "address", n.URL())
	if m.Demo {
		n.Go("demo", func(ctx context.Context) error { return demo(ctx, n, s, t) })
	}
	return n.Stop(n.Wait(ctx))
}

// demo simulates a sportsbook through the public API.
func demo(ctx context.Context, n *node.Node, s *node.Settings, t *terminal) error {
	client := &generator.Client{URL: n.URL(), Key: s.APIKey}
	now := time.Now()
	book := generator.NewSportsbook(1, demoBettors, demoFixtures, demoDays, now)
	if empty := len(n.Views().Sizes()) == 0; empty {
		bar := progress.New(t.errors, "simulating a sportsbook", demoBettors+demoFixtures+demoCoupons)
		if err := book.Seed(ctx, client, demoCoupons, now, bar.Add); err != nil {
			return fmt.Errorf("simulate: %w", err)
		}
		bar.End()
		fmt.Fprintf(t.out, "\nA sportsbook of %d bettors, %d fixtures and %d coupons is there, and bets keep coming.\n",
			demoBettors, demoFixtures, demoCoupons)
	} else {
		fmt.Fprintf(t.out, "\n%s holds data already: no sportsbook was simulated; live bets of one keep coming.\n", s.Data)
		if err := book.Seed(ctx, client, 0, now, func(int) {}); err != nil {
			return fmt.Errorf("simulate: %w", err)
		}
	}
	url := n.URL()
	fmt.Fprintf(t.out, `
Try, in another terminal:

  curl '%[1]s/v1/recommendations?user_id=bettor-1&n=3'
  curl '%[1]s/v1/users/bettor-1/affinities'
  curl '%[1]s/v1/popular?n=3'

The API, to read and to try: %[1]s/docs
Ctrl-C ends; the next start has everything again.

`, url)
	return book.Trickle(ctx, client, demoEvery)
}
