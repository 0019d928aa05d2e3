package oracle

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tipoff/state"
)

// A projection is what a table value says of the world, without its bookkeeping:
// owners, positions on topics, what was applied. Two tables that were filled
// from the same facts, in whatever order and however often, have equal projections:
// sets and counts exactly, decayed sums but for the last digits.
type projection struct {
	exact map[string]string
	sums  map[string]float64
}

func newProjection() *projection {
	return &projection{map[string]string{}, map[string]float64{}}
}

func (p *projection) put(name string, value any) { p.exact[name] = fmt.Sprint(value) }

// projectionTolerance is how far decayed sums may differ, relative to their size.
const projectionTolerance = 1e-9

// differences lists what differs, in order.
func (p *projection) differences(other *projection) (lines []string) {
	for _, name := range union(p.exact, other.exact) {
		if a, b := p.exact[name], other.exact[name]; a != b {
			lines = append(lines, fmt.Sprintf("%s: %q and %q", name, a, b))
		}
	}
	for _, name := range union(p.sums, other.sums) {
		a, b := p.sums[name], other.sums[name]
		if math.Abs(a-b) > projectionTolerance*max(1, math.Abs(a), math.Abs(b)) {
			lines = append(lines, fmt.Sprintf("%s: %v and %v", name, a, b))
		}
	}
	return lines
}

// DifferentBettors says how two states of one bettor differ in what they say of
// the world; "" where they do not. Lists that were cut may differ at the cut.
func DifferentBettors(a, b *state.Bettor) string {
	return strings.Join(bettorProjection(a).differences(bettorProjection(b)), "; ")
}

// DifferentFixtures does the same for two states of one fixture.
func DifferentFixtures(a, b *state.Fixture) string {
	return strings.Join(fixtureProjection(a).differences(fixtureProjection(b)), "; ")
}

func bettorProjection(b *state.Bettor) *projection {
	p := newProjection()
	p.put("known", b.Known)
	if b.Known {
		p.put("user", fmt.Sprintf("%#v", b.User))
	}
	p.put("legs", b.LegCount)
	p.put("at", b.At)
	p.sums["weight"] = b.Weight
	for name, list := range map[string][]state.Affinity{"sport": b.Sports, "league": b.Leagues, "team": b.Teams, "market": b.Markets, "odds": b.Odds} {
		for _, a := range list {
			p.sums[fmt.Sprint(name, " ", a.Key)] = a.Weight
		}
	}
	for i := range b.Bets {
		bet := &b.Bets[i]
		p.put(fmt.Sprintf("coupon %x", bet.Coupon), fmt.Sprint(bet.At, " waits for ", bet.Waiting))
	}
	var last []uint64
	for i := len(b.Bets) - 1; i >= 0; i-- {
		for j := len(b.Bets[i].Legs) - 1; j >= 0 && len(last) < state.HistoryLegs; j-- {
			last = append(last, b.Bets[i].Legs[j].Event)
		}
	}
	slices.Sort(last)
	p.put("last events", last)
	return p
}

func fixtureProjection(f *state.Fixture) *projection {
	p := newProjection()
	p.put("known", f.Known)
	if f.Known {
		p.put("event", fmt.Sprintf("%#v", f.Event))
	} else {
		p.put("patch", fmt.Sprintf("%#v", f.Patch))
	}
	p.put("legs", f.LegCount)
	if f.Popularity.Sum != 0 {
		p.put("at", f.Popularity.At)
	}
	p.sums["popularity"] = f.Popularity.Sum
	for i, pace := range f.Paces {
		p.sums[fmt.Sprint("popularity by half-life ", i)] = pace.Sum
	}
	p.put("first bet", f.FirstBet)
	for _, o := range f.Outcomes {
		p.put(fmt.Sprintf("outcome %q %q", o.Market, o.Outcome), o.Bets)
	}
	for _, n := range f.Neighbours {
		p.put(fmt.Sprint("neighbour ", n.Event), n.Weight)
	}
	return p
}
