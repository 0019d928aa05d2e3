package generator

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"tipoff"
)

// classicSports are the sports and leagues of the old service's generator.
var classicSports = []struct {
	sport   string
	leagues []string
}{
	{"Soccer", []string{"Champions League", "FIFA", "La Liga", "Premier League"}},
	{"Basketball", []string{"NBA", "EuroLeague", "NCAA"}},
	{"Baseball", []string{"MLB", "Nippon League", "KBO"}},
	{"Tennis", []string{"ATP", "WTA", "Grand Slam"}},
	{"MMA", []string{"UFC", "Bellator", "ONE Championship"}},
	{"Swimming", []string{"FINA World Championships", "Olympics"}},
}

// Classic posts, n times, what the old service's generator did: a user, 1 to 5
// events, and a coupon over all of them. Its events began in the past; these begin
// within the coming days. done is told after each round.
func Classic(ctx context.Context, c *Client, n int, random *rand.Rand, now time.Time, done func()) error {
	if n < 1 {
		return errNothing
	}
	run := fmt.Sprintf("%x", random.Uint64())
	const chunk = 50
	for from := 0; from < n; from += chunk {
		var b batch
		for i := from; i < min(n, from+chunk); i++ {
			u, es, k := classicRound(fmt.Sprintf("%s-%d", run, i), random, now)
			b.users, b.events, b.coupons = append(b.users, u), append(b.events, es...), append(b.coupons, k)
		}
		if err := b.post(ctx, c); err != nil {
			return err
		}
		for range b.users {
			done()
		}
	}
	return nil
}

func classicRound(id string, random *rand.Rand, now time.Time) (tipoff.User, []tipoff.Event, tipoff.Coupon) {
	nation := nations[random.IntN(len(nations))]
	user := tipoff.User{
		ID:               "user-" + id,
		BirthYear:        now.Year() - 18 - random.IntN(62),
		Country:          nation.country,
		Currency:         nation.currency,
		Gender:           []string{"male", "female"}[random.IntN(2)],
		RegistrationDate: now.AddDate(0, 0, -random.IntN(3*365)).UTC().Truncate(24 * time.Hour),
	}
	coupon := tipoff.Coupon{
		ID: "coupon-" + id, UserID: user.ID, Stake: cents(10 + 990*random.Float64()), Timestamp: now.UTC().Truncate(time.Microsecond),
	}
	events := make([]tipoff.Event, 1+random.IntN(5))
	for i := range events {
		kind := classicSports[random.IntN(len(classicSports))]
		begin := now.Add(time.Duration(1+random.IntN(14*24)) * time.Hour).UTC().Truncate(time.Hour)
		first := random.IntN(len(surnames))
		second := (first + 1 + random.IntN(len(surnames)-1)) % len(surnames)
		events[i] = tipoff.Event{
			ID:           fmt.Sprintf("event-%s-%d", id, i),
			Begin:        begin,
			End:          begin.AddDate(0, 0, 1+random.IntN(14)),
			Country:      nations[random.IntN(len(nations))].country,
			League:       kind.leagues[random.IntN(len(kind.leagues))],
			Sport:        kind.sport,
			Participants: []string{surnames[first], surnames[second]},
			Status:       tipoff.StatusOpen,
		}
		coupon.Selections = append(coupon.Selections, tipoff.Selection{EventID: events[i].ID, Odds: cents(1 + 14*random.Float64())})
	}
	return user, events, coupon
}

// cents rounds to two digits after the point.
func cents(v float64) float64 { return math.Round(v*100) / 100 }
