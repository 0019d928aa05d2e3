package generator

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"tipoff"
)

// Sportsbook is a simulated company: bettors with stable tastes, and a calendar of
// fixtures with markets and odds. The same seed and start give the same data.
type Sportsbook struct {
	random   *rand.Rand
	run      string // part of every id, so that two simulations do not meet
	bettors  []bettor
	fixtures []fixture // by beginning
	coupons  int       // made so far
}

// bettor has a stable taste.
type bettor struct {
	tipoff.User
	sport    string
	leagues  map[string]float64 // by name, how much more it is liked
	teams    map[string]float64
	activity float64 // how often this one bets, relative to others
	legs     float64 // average legs of a coupon
	stake    float64 // typical stake
	daring   float64 // 0: favourites, 1: outsiders
}

type fixture struct {
	tipoff.Event
	following float64
}

// NewSportsbook returns a company with so many bettors, and so many fixtures
// beginning within the days after now.
func NewSportsbook(seed uint64, bettors, fixtures int, days int, now time.Time) *Sportsbook {
	s := &Sportsbook{random: rand.New(rand.NewPCG(seed, 0x7109)), run: fmt.Sprintf("%x", now.Unix())}
	for i := range bettors {
		s.bettors = append(s.bettors, s.newBettor(i, now))
	}
	for i := range fixtures {
		s.fixtures = append(s.fixtures, s.newFixture(i, days, now))
	}
	slices.SortStableFunc(s.fixtures, func(a, b fixture) int { return a.Begin.Compare(b.Begin) })
	return s
}

func (s *Sportsbook) newBettor(i int, now time.Time) bettor {
	r := s.random
	nation := nations[r.IntN(len(nations))]
	league := s.pickCompetition(nation.country)
	b := bettor{
		User: tipoff.User{
			ID:               fmt.Sprintf("bettor-%d", i+1),
			BirthYear:        now.Year() - 18 - int(math.Abs(r.NormFloat64())*18)%70,
			Country:          nation.country,
			Currency:         nation.currency,
			Gender:           []string{"male", "male", "male", "female"}[r.IntN(4)],
			RegistrationDate: now.AddDate(0, 0, -1-r.IntN(4*365)).UTC().Truncate(24 * time.Hour),
		},
		sport:    league.sport,
		leagues:  map[string]float64{league.league: 2},
		teams:    map[string]float64{},
		activity: math.Exp(r.NormFloat64()),
		legs:     1 + 3*r.Float64()*r.Float64(),
		stake:    math.Exp(1.5 + r.NormFloat64()),
		daring:   r.Float64(),
	}
	if r.IntN(2) == 0 {
		b.leagues[s.pickCompetition(nation.country).league] = 1
	}
	for range 1 + r.IntN(2) {
		b.teams[league.teams[r.IntN(len(league.teams))]] = 2 + r.Float64()
	}
	if r.IntN(3) == 0 {
		b.FavouriteSport = b.sport
	}
	return b
}

// pickCompetition prefers what many follow, and what is played at home.
func (s *Sportsbook) pickCompetition(country string) *competition {
	weight := func(c *competition) float64 {
		if c.country == country {
			return 4 * c.following
		}
		return c.following
	}
	all := 0.0
	for i := range competitions {
		all += weight(&competitions[i])
	}
	at := s.random.Float64() * all
	for i := range competitions {
		if at -= weight(&competitions[i]); at < 0 {
			return &competitions[i]
		}
	}
	return &competitions[0]
}

func (s *Sportsbook) newFixture(i, days int, now time.Time) fixture {
	r := s.random
	c := s.pickCompetition("")
	home := r.IntN(len(c.teams))
	away := (home + 1 + r.IntN(len(c.teams)-1)) % len(c.teams)
	day := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, r.IntN(days)+1)
	begin := day.Add(time.Duration(12+r.IntN(10))*time.Hour + time.Duration(r.IntN(4)*15)*time.Minute)
	// The earlier a team stands in its league's list, the stronger it is.
	strength := func(team int) float64 { return math.Exp(-1.5 * float64(team) / float64(len(c.teams))) }
	atHome, abroad := 1.25*strength(home), strength(away)
	return fixture{
		following: c.following * (strength(home) + strength(away)),
		Event: tipoff.Event{
			ID:           fmt.Sprintf("fixture-%s-%d", s.run, i+1),
			Begin:        begin,
			End:          begin.Add(2 * time.Hour),
			Country:      c.country,
			League:       c.league,
			Sport:        c.sport,
			Participants: []string{c.teams[home], c.teams[away]},
			Home:         c.teams[home],
			Away:         c.teams[away],
			Status:       tipoff.StatusOpen,
			Markets:      s.markets(c.draws, atHome/(atHome+abroad)),
		},
	}
}

// margin is what the bookmaker keeps.
const margin = 1.06

func (s *Sportsbook) markets(draws bool, home float64) []tipoff.Market {
	price := func(outcome string, chance float64) tipoff.Outcome {
		return tipoff.Outcome{Outcome: outcome, Odds: max(1.01, cents(1/(chance*margin)))}
	}
	over := 0.4 + 0.2*s.random.Float64()
	totals := tipoff.Market{Market: "totals", Outcomes: []tipoff.Outcome{price("over", over), price("under", 1-over)}}
	if draws {
		const draw = 0.26
		return []tipoff.Market{{Market: "1x2", Outcomes: []tipoff.Outcome{
			price("1", home*(1-draw)), price("X", draw), price("2", (1-home)*(1-draw)),
		}}, totals}
	}
	return []tipoff.Market{{Market: "winner", Outcomes: []tipoff.Outcome{price("1", home), price("2", 1-home)}}, totals}
}

// Users are the company's bettors as it posts them.
func (s *Sportsbook) Users() []tipoff.User {
	users := make([]tipoff.User, len(s.bettors))
	for i := range s.bettors {
		users[i] = s.bettors[i].User
	}
	return users
}

// Events are the company's fixtures as it posts them.
func (s *Sportsbook) Events() []tipoff.Event {
	events := make([]tipoff.Event, len(s.fixtures))
	for i := range s.fixtures {
		events[i] = s.fixtures[i].Event
	}
	return events
}

// Coupons are so many bets, placed over the two days before now, in their order.
func (s *Sportsbook) Coupons(n int, now time.Time) []tipoff.Coupon {
	bets := make([]tipoff.Coupon, n)
	for i := range bets {
		at := now.Add(-time.Duration(float64(48*time.Hour) * s.random.Float64()))
		bets[i] = s.coupon(at, now)
	}
	slices.SortFunc(bets, func(a, b tipoff.Coupon) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.ID, b.ID))
	})
	return bets
}

// Seed posts the whole company and so many coupons. done is told the number of
// items after each post.
func (s *Sportsbook) Seed(ctx context.Context, c *Client, coupons int, now time.Time, done func(items int)) error {
	if len(s.bettors) == 0 || len(s.fixtures) < 2 {
		return errNothing
	}
	if err := inSlices(s.Users(), done, func(part []tipoff.User) error { return c.Users(ctx, part) }); err != nil {
		return err
	}
	if err := inSlices(s.Events(), done, func(part []tipoff.Event) error { return c.Events(ctx, part) }); err != nil {
		return err
	}
	return inSlices(s.Coupons(coupons, now), done, func(part []tipoff.Coupon) error { return c.Coupons(ctx, part) })
}

func inSlices[T any](items []T, done func(int), send func([]T) error) error {
	for part := range slices.Chunk(items, maxPost) {
		if err := send(part); err != nil {
			return err
		}
		done(len(part))
	}
	return nil
}

// Trickle posts a bet every so often until ctx ends.
func (s *Sportsbook) Trickle(ctx context.Context, c *Client, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			bet := s.coupon(now, now)
			if len(bet.Selections) == 0 { // the calendar has come to its end
				return nil
			}
			if err := c.Coupons(ctx, []tipoff.Coupon{bet}); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// coupon is a bet that some bettor places at the given time, on fixtures that
// have not begun by now.
func (s *Sportsbook) coupon(at, now time.Time) tipoff.Coupon {
	r := s.random
	b := s.pickBettor()
	s.coupons++
	bet := tipoff.Coupon{
		ID:        fmt.Sprintf("coupon-%s-%d", s.run, s.coupons),
		UserID:    b.ID,
		Stake:     max(0.1, cents(b.stake*math.Exp(0.5*r.NormFloat64()))),
		Timestamp: at.UTC().Truncate(time.Microsecond),
	}
	legs := max(1, int(b.legs+r.NormFloat64()/2+0.5))
	weights := make([]float64, len(s.fixtures))
	all := 0.0
	for i := range s.fixtures {
		if f := &s.fixtures[i]; f.Begin.After(now) {
			weights[i] = b.appeal(f, at)
			all += weights[i]
		}
	}
	for range legs {
		if all <= 1e-12 {
			break
		}
		i, left := 0, r.Float64()*all
		for ; i < len(weights)-1; i++ {
			if left -= weights[i]; left < 0 {
				break
			}
		}
		if weights[i] == 0 {
			break
		}
		bet.Selections = append(bet.Selections, s.selection(b, &s.fixtures[i]))
		all -= weights[i]
		weights[i] = 0
	}
	return bet
}

func (s *Sportsbook) pickBettor() *bettor {
	for { // by rejection: activity is below 20 nearly always
		b := &s.bettors[s.random.IntN(len(s.bettors))]
		if s.random.Float64()*8 < b.activity {
			return b
		}
	}
}

// appeal is how much a bettor is drawn to a fixture, before chance decides.
func (b *bettor) appeal(f *fixture, at time.Time) float64 {
	likes := 0.35 * math.Log(f.following)
	if f.Sport == b.sport {
		likes += 1.5
	}
	likes += b.leagues[f.League]
	for _, team := range f.Participants {
		likes += b.teams[team]
	}
	hours := f.Begin.Sub(at).Hours()
	return math.Exp(likes - 0.5*math.Log1p(hours/12))
}

func (s *Sportsbook) selection(b *bettor, f *fixture) tipoff.Selection {
	m := f.Markets[0]
	if s.random.IntN(5) == 0 {
		m = f.Markets[1]
	}
	outcomes := slices.Clone(m.Outcomes)
	slices.SortFunc(outcomes, func(a, b tipoff.Outcome) int { return cmp.Compare(a.Odds, b.Odds) })
	o := outcomes[0]
	for i := 1; i < len(outcomes) && s.random.Float64() < b.daring; i++ {
		o = outcomes[i]
	}
	return tipoff.Selection{EventID: f.ID, Odds: o.Odds, Market: m.Market, Outcome: o.Outcome}
}
