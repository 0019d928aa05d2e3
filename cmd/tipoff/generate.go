package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/time/rate"

	"tipoff/generator"
	"tipoff/node"
	"tipoff/progress"
)

// target is a running Tipoff to post to.
type target struct {
	URL  string  `placeholder:"URL" help:"Address of the service (default: TIPOFF_ADDR of this machine)."`
	Rate float64 `placeholder:"N" help:"Items a second at the most; 0: as fast as it goes."`
	node.Address
	node.Access
}

func (g *target) client() *generator.Client {
	c := &generator.Client{URL: g.URL, Key: g.APIKey}
	if c.URL == "" {
		c.URL = g.Address.URL()
	}
	if g.Rate > 0 {
		c.Limit = rate.NewLimiter(rate.Limit(g.Rate), max(1, min(500, int(g.Rate/10))))
	}
	return c
}

// generateMode posts simulated data.
type generateMode struct {
	target
	N         int    `arg:"" optional:"" help:"Rounds of the old service's generator: a user, 1 to 5 events and a coupon over all of them."`
	Realistic bool   `help:"Simulate a sportsbook instead: bettors with stable tastes, a calendar of fixtures with markets and odds."`
	Users     int    `default:"1000" help:"Bettors of the sportsbook (default ${default})."`
	Events    int    `default:"500" help:"Fixtures of the sportsbook (default ${default})."`
	Days      int    `default:"7" help:"Days over which its fixtures begin (default ${default})."`
	Coupons   int    `default:"20000" help:"Coupons of the sportsbook, placed over the last two days (default ${default})."`
	Seed      uint64 `default:"0" help:"The same seed makes the same data; 0: another one each time."`
}

func (generateMode) Help() string {
	return `Examples:

  tipoff generate 100                        what the old generator did, 100 times
  tipoff generate --realistic --rate 500     a sportsbook, 500 items a second
  tipoff generate 10 --url http://host:5000  against another machine`
}

func (m *generateMode) Run(ctx context.Context, t *terminal) error {
	if m.Seed == 0 {
		m.Seed = rand.Uint64()
	}
	c, began := m.client(), time.Now()
	if !m.Realistic && m.N < 1 {
		return fmt.Errorf("how many rounds? tipoff generate N, or tipoff generate --realistic")
	}
	err := c.Reach()
	switch {
	case err != nil:
	case m.Realistic:
		bar := progress.New(t.errors, "generating", m.Users+m.Events+m.Coupons)
		book := generator.NewSportsbook(m.Seed, m.Users, m.Events, m.Days, began)
		err = book.Seed(ctx, c, m.Coupons, began, bar.Add)
		bar.End()
	default:
		bar := progress.New(t.errors, "generating", m.N)
		err = generator.Classic(ctx, c, m.N, rand.New(rand.NewPCG(m.Seed, 0)), began, func() { bar.Add(1) })
		bar.End()
	}
	if err != nil {
		return err
	}
	return c.Report(t.out, time.Since(began))
}
