package generator

import (
	"context"
	"fmt"
	"io"
	"time"

	"tipoff/progress"
)

// Size of the sportsbook that a demonstration simulates.
const (
	demoBettors  = 1_000
	demoFixtures = 500
	demoDays     = 7
	demoCoupons  = 20_000
	demoEvery    = 200 * time.Millisecond // between live bets
)

// Demo simulates a sportsbook until ctx ends: its past, unless held names where the
// Tipoff has data already, then a trickle of live bets. It says on out where to look and
// what there is to try, and on bar how far it has come.
func Demo(ctx context.Context, client *Client, held string, out, bar io.Writer) error {
	fmt.Fprintf(out, "\nSee what goes on, and send a bet through it: %s/console\n\n", client.URL)
	now := time.Now()
	book := NewSportsbook(1, demoBettors, demoFixtures, demoDays, now)
	if held == "" {
		p := progress.New(bar, "simulating a sportsbook", demoBettors+demoFixtures+demoCoupons)
		if err := book.Seed(ctx, client, demoCoupons, now, p.Add); err != nil {
			return fmt.Errorf("simulate: %w", err)
		}
		p.End()
		fmt.Fprintf(out, "\nA sportsbook of %d bettors, %d fixtures and %d coupons is there, and bets keep coming.\n",
			demoBettors, demoFixtures, demoCoupons)
	} else {
		fmt.Fprintf(out, "\n%s holds data already: no sportsbook was simulated; live bets of one keep coming.\n", held)
		if err := book.Seed(ctx, client, 0, now, func(int) {}); err != nil {
			return fmt.Errorf("simulate: %w", err)
		}
	}
	fmt.Fprintf(out, `
In a browser: %[1]s/console

Or, in another terminal:

  curl '%[1]s/v1/recommendations?user_id=bettor-1&n=3'
  curl '%[1]s/v1/users/bettor-1/affinities'
  curl '%[1]s/v1/popular?n=3'

The API, to read and to try: %[1]s/docs
Ctrl-C ends; the next start has everything again.

`, client.URL)
	return book.Trickle(ctx, client, demoEvery)
}
