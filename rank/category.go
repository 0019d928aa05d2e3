package rank

import (
	"math"

	"tipoff/state"
)

// category is a sport, a league, a team or a market.
type category struct {
	key   categoryKey
	hash  uint64 // of key
	name  string
	crowd float64 // everyone's weight, scaled as [landmark] says
	open  []int32 // slots of its open events, by beginning; of leagues and teams

	offered int32 // number of its open events
}

type categoryKind byte

const (
	kindSport categoryKind = iota
	kindLeague
	kindTeam
	kindMarket
	kindCountry // of bettors
)

type categoryKey struct {
	kind categoryKind
	name uint32
}

// landmark is the second at which the crowd's weights are taken. All share it,
// so shares need no time, and a sum stays right when a bettor's part of it is
// taken out and put in again.
const landmark = 1_577_836_800 // 2020-01-01

// hash is that by which a category finds its rows.
func (k categoryKey) hash() uint64 { return Scatter(uint64(k.kind)<<32 | uint64(k.name)) }

func (x *Index) category(kind categoryKind, key uint32, name string) int32 {
	k := categoryKey{kind, key}
	id, ok := x.ids[k]
	if !ok {
		id = int32(len(x.categories))
		x.categories = append(x.categories, category{key: k, hash: k.hash()})
		x.logs = append(x.logs, float32(math.Log(leastCrowd)))
		x.ids[k] = id
	}
	if name != "" {
		x.categories[id].name = name
	}
	return id
}

// addTaste adds a bettor's taste to the crowd's, or takes it out; see [Index.keepLogs].
func (x *Index) addTaste(b *Bettor, sign float64) {
	if b.weight == 0 {
		return
	}
	if sign > 0 {
		x.bets += b.LegCount
	} else {
		x.bets -= b.LegCount
	}
	scale := sign * state.Decay(landmark-b.at, state.TasteHalfLife)
	x.crowd += b.weight * scale
	for i, id := range b.crowdTastes() {
		x.categories[id].crowd += float64(b.weights[i]) * scale
	}
}

// keepLogs keeps the logarithms of what the crowd bets on the categories that are a bettor's,
// and on those that were. Most are both, at the same place.
func (x *Index) keepLogs(is, was []int32) {
	for _, id := range is {
		x.keepLog(id)
	}
	for i, id := range was {
		if i >= len(is) || is[i] != id {
			x.keepLog(id)
		}
	}
}

func (x *Index) keepLog(id int32) {
	x.logs[id] = float32(math.Log(max(x.categories[id].crowd, leastCrowd)))
}

// leastCrowd is the weight below which a category counts as never chosen.
const leastCrowd = 1e-300
