package rank

import (
	"math"

	"tipoff/state"
)

// crowdPrior is the one prior of what a crowd says: so many bets by others count as
// much as the bettor's own taste, and as the catalogue where shares are asked for. A
// first hour has hundreds of bets, a company that is at work has them within a day.
// See decision 13.
const crowdPrior = 2000.0

// leaguePrior is the prior of what a crowd says within a sport. It is lower, as a league
// is a smaller matter than a sport: the formula's own weight of it soon does better.
const leaguePrior = 200.0

const (
	// leastBelief keeps the order that a crowd's last bit of belief makes.
	leastBelief = 1e-4
	// leastShare is the least share of the bets that a league or team is taken to get:
	// of hundreds of them most are rare, and to like a rare one is no greater liking.
	leastShare = 0.02
	// leastSportShare only keeps logarithms finite.
	leastSportShare = 1e-9
)

// belief is how much others tell of the bettor who asks.
type belief struct {
	others  float64 // decayed bets of all but the bettor
	crowd   float64 // how much they are believed, up to 1
	leagues float64 // how much of leagues within a sport, up to 1
	own     float64 // carries the bettor's weights to now
	carried float64 // carries the crowd's weights to now
}

// prepareBelief takes a bettor, nil where nothing is known of him. Evidence does not
// fade: what a company has taught in years counts, be its bets few a month.
func (r *ranking) prepareBelief(b *Bettor) {
	v, bets := &r.belief, r.bets
	v.own, v.carried = 1, state.Decay(r.now-landmark, state.TasteHalfLife)
	v.others = r.crowd * v.carried
	if b != nil {
		if r.now > b.at {
			v.own = state.Decay(r.now-b.at, state.TasteHalfLife)
		}
		v.others -= b.weight * v.own
		bets -= min(bets, b.LegCount)
	}
	if v.others = max(0, v.others); bets == 0 { // what is left is rounding
		v.others = 0
	}
	v.crowd = max(float64(bets)/(float64(bets)+crowdPrior), leastBelief)
	v.leagues = float64(bets) / (float64(bets) + leaguePrior)
}

// sportPrior is how many bets of the crowd's taste are mixed into a bettor's where
// sports are asked for: few while the crowd is small.
func (r *ranking) sportPrior() float64 { return liftPrior * r.belief.crowd }

// expected is the share of his bets that a category gets from a bettor without a taste,
// never 0: its share of others' bets, and as far as these are few, of what is open. own
// is the bettor's weight of it. Sports are so few that their shares are soon known.
func (r *ranking) expected(kind categoryKind, id int32, own float64) float64 {
	prior, least := crowdPrior, leastShare
	if kind == kindSport {
		prior, least = liftPrior, leastSportShare
	}
	offered := float64(r.categories[id].offered) / float64(max(1, len(r.open)))
	return min(max((r.byOthers(id, own)+prior*offered)/(r.belief.others+prior), least), 1)
}

// byOthers is the weight of a category in the bets of all but the bettor.
func (r *ranking) byOthers(id int32, own float64) float64 {
	return max(0, r.categories[id].crowd*r.belief.carried-own)
}

// isEarly says whether a newcomer asks while the crowd is believed less than half: he is
// shown what is popular, by the plain formula, whatever has been learnt.
func (r *ranking) isEarly() bool { return r.cold && r.belief.crowd < 0.5 }

// mix lets the chosen formula count by how much the crowd is believed, on which its
// weights, popularity and pairs rest. The rest is the sports and leagues that the bettor
// chose.
func (r *ranking) mix() {
	crowd := float32(r.belief.crowd)
	r.own = [Terms]float32{}
	r.own[termSport] = (1 - crowd) * ownSport
	r.own[termLeague] = (1 - float32(r.belief.leagues)) * ownLeague
	r.unit = crowd
	for t, w := range r.own {
		r.weights[t] = crowd*r.weights[t] + w
	}
}

// formulaSpread is how far apart a mixed formula may set the best and the worst event:
// three quarters of what the hand blend does in a large company. With all of it a crowd
// of 400 coupons on the same few events still took two of the first five places from a
// single bet on another sport.
const formulaSpread = 9

// bound keeps a mixed formula from setting the listed events further apart than
// [formulaSpread], for which the prior is made: weights learnt from a few hundred coupons
// may be anything. Where it has to, it brings the scores of the list closer together.
func (r *ranking) bound(list []quick) {
	crowd := float32(r.belief.crowd)
	if r.unit == 1 || crowd > 0.99 {
		return
	}
	least, most := float32(math.Inf(1)), float32(math.Inf(-1))
	for i := range list {
		score := list[i].score - list[i].own
		least, most = min(least, score), max(most, score)
	}
	by := formulaSpread * crowd / (most - least)
	if !(by < 1) {
		return
	}
	for t, w := range r.own {
		r.weights[t] = (r.weights[t]-w)*by + w
	}
	r.unit *= by
	for i := range list {
		list[i].score = (list[i].score-list[i].own)*by + list[i].own
	}
}

// Weights of the bettor's own taste. Teams are left out: a team bet on once would
// stand before all others of the same league.
const (
	ownSport  = 1
	ownLeague = 0.5
)

// liked is a category of which the bettor has the given weight of all his bets, and
// would have the expected share by chance.
func (r *ranking) liked(prior, all, weight, expected float64) liking {
	return liking{
		generation: r.generation,
		lift:       lift(prior, all, weight, expected),
		keen:       min(lift(keenPrior, all, weight, expected), keenMost),
		bets:       ln1p(float32(weight)),
	}
}

// lift is ln((w + m P) / ((W + m) P)).
func lift(prior, all, weight, expected float64) float32 {
	return float32(math.Log((weight + prior*expected) / ((all + prior) * expected)))
}
