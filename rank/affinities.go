package rank

import (
	"slices"
	"time"

	"tipoff"
	"tipoff/state"
)

// Affinities describes with names what is known of a bettor, as of now. A category
// whose last fixture is forgotten has no name any more and is left out. false: nothing is
// known of him.
func (x *Index) Affinities(user string, now time.Time) (tipoff.Affinities, bool) {
	b := x.bettors[user]
	if b == nil {
		return tipoff.Affinities{}, false
	}
	fade := 1.0
	if at := now.Unix(); at > b.at {
		fade = state.Decay(at-b.at, state.TasteHalfLife)
	}
	words := func(kind categoryKind) []tipoff.Affinity {
		said := []tipoff.Affinity{}
		tastes, weights := b.tastesOf(kind)
		for i, id := range tastes {
			name := ""
			if kind == kindOdds {
				name = state.OddsRangeName(uint32(id))
			} else {
				name = x.categories[id].name
			}
			if name != "" {
				said = append(said, tipoff.Affinity{Name: name, Weight: round(float64(weights[i]) * fade), Share: round(float64(weights[i]) / b.weight)})
			}
		}
		slices.SortStableFunc(said, func(a, b tipoff.Affinity) int {
			switch {
			case a.Weight > b.Weight:
				return -1
			case a.Weight < b.Weight:
				return 1
			}
			return 0
		})
		return said
	}
	return tipoff.Affinities{
		UserID: user, Bets: b.LegCount,
		Sports: words(kindSport), Leagues: words(kindLeague), Teams: words(kindTeam),
		Markets: words(kindMarket), Odds: words(kindOdds),
	}, true
}
