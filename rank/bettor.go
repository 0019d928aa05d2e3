package rank

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"tipoff"
	"tipoff/state"
)

// Bettor is what an index keeps of a bettor's state: what ranking asks for, by the index's
// own numbers in place of names, so that a question looks nothing up. A new state is
// written over it.
type Bettor struct {
	Version  uint64 // of all states that were put into the index, this one's number
	Known    bool   // posted; a bettor may bet before
	Epoch    uint64 // of the state's value
	LegCount uint64 // resolved and counted
	user     string // as [state.MarshalUser] writes it; "": not posted
	home     string // his country as posted, a part of user

	country uint32  // its [state.Name]; 0: not known
	weight  float64 // of the resolved legs, decayed to at
	at      int64   // Unix seconds that all weights here refer to
	lastBet int64   // when the newest bet was made, Unix seconds
	ends    [tasteKinds]int32
	tastes  []int32   // categories, and ranges of odds, kind after kind: each ends where ends says
	weights []float32 // of tastes

	trail   int32    // into [Index.trails]
	legs    []legBet // on posted events that had not begun
	waiting []uint64 // [tipoff.EventRef] of legs that have not come back
}

// legBet is one leg of a bettor's bets.
type legBet struct {
	slot int32
	at   int32 // when the bet was made, seconds since [landmark]
}

func (l legBet) compare(other legBet) int {
	if l.at != other.at {
		return cmp.Compare(l.at, other.at)
	}
	return cmp.Compare(l.slot, other.slot)
}

// sortLegs sorts legs that are by time already, as bets are: those of one moment are few.
func sortLegs(legs []legBet) {
	for len(legs) > 0 {
		n := 1
		for n < len(legs) && legs[n].at == legs[0].at {
			n++
		}
		slices.SortFunc(legs[:n], legBet.compare)
		legs = legs[n:]
	}
}

// The kinds of taste, each with its list: those of [categoryKind] up to the market, and
// the ranges of odds, which are no categories.
const (
	kindOdds   = kindMarket + 1
	tasteKinds = int(kindOdds) + 1
)

// tastesOf returns the bettor's categories of a kind, by [state.Name], and their weights.
func (b *Bettor) tastesOf(kind categoryKind) ([]int32, []float32) {
	begin := int32(0)
	if kind > 0 {
		begin = b.ends[kind-1]
	}
	return b.tastes[begin:b.ends[kind]], b.weights[begin:b.ends[kind]]
}

// crowdTastes are the categories of the bettor that count for the crowd's taste.
func (b *Bettor) crowdTastes() []int32 { return b.tastes[:b.ends[kindTeam]] }

// User is the bettor as posted last; false where he was not.
func (b *Bettor) User() (tipoff.User, bool) {
	if !b.Known {
		return tipoff.User{}, false
	}
	u, err := state.UnmarshalUser([]byte(b.user))
	return u, err == nil
}

// Bettor is what is known of a user; nil: nothing. It is the index's, and changes with it.
func (x *Index) Bettor(id string) *Bettor { return x.bettors[id] }

// Bettors is how many bettors the index holds.
func (x *Index) Bettors() int { return len(x.bettors) }

// PutBettor sets the newest state of a bettor, nil to forget him, and moves what the crowd
// owes to him: its taste, and the bets on each event from his country. Countries are
// counted here and not in the fixtures' table, so that it does not matter whether a user
// is posted before or after betting. Nothing of fresh is kept.
func (x *Index) PutBettor(id string, fresh *state.Bettor) {
	b := x.bettors[id]
	if b == nil {
		if fresh == nil {
			return
		}
		id = strings.Clone(id)
		b = &Bettor{trail: x.newTrail(id)}
		x.bettors[id] = b
	}
	x.addTaste(b, -1)
	from := b.country
	if fresh == nil {
		fresh = new(state.Bettor)
		delete(x.bettors, id)
		defer x.removeTrail(b.trail)
	}
	x.puts++
	b.Version = x.puts
	b.Known, b.Epoch, b.LegCount, b.weight, b.at = fresh.Known, fresh.Epoch, fresh.LegCount, fresh.Weight, fresh.At
	b.lastBet = 0
	if last := len(fresh.Bets) - 1; last >= 0 {
		b.lastBet = fresh.Bets[last].At
	}
	x.setUser(b, fresh)
	was := x.setTastes(b, fresh)
	x.addTaste(b, 1)
	x.keepLogs(b.crowdTastes(), was)
	x.putTrail(b.trail, fresh)
	x.setLegs(b, fresh, from)
}

func (x *Index) setUser(b *Bettor, fresh *state.Bettor) {
	if b.country = fresh.Country(); !fresh.Known {
		b.user, b.home = "", ""
		return
	}
	x.userBytes = state.AppendUser(x.userBytes[:0], &fresh.User)
	if b.user != string(x.userBytes) {
		b.user = string(x.userBytes)
		at := strings.Index(b.user, fresh.User.Country)
		b.home = b.user[at : at+len(fresh.User.Country)]
	}
}

// setTastes looks up only those categories that were not at the same place before. It
// returns what [Bettor.crowdTastes] did before, until it is called again.
func (x *Index) setTastes(b *Bettor, fresh *state.Bettor) (was []int32) {
	old, begin := append(x.tastesBefore[:0], b.tastes...), int32(0)
	was = old[:b.ends[kindTeam]]
	lists := [tasteKinds][]state.Affinity{fresh.Sports, fresh.Leagues, fresh.Teams, fresh.Markets, fresh.Odds}
	size := 0
	for _, list := range lists {
		size += len(list)
	}
	if size > cap(b.tastes) {
		b.tastes, b.weights = make([]int32, 0, size), make([]float32, 0, size)
	}
	b.tastes, b.weights = b.tastes[:0], b.weights[:0]
	for kind, list := range lists {
		known := old[begin:b.ends[kind]]
		begin = b.ends[kind]
		for _, a := range list {
			id := int32(a.Key)
			if categoryKind(kind) != kindOdds {
				for len(known) > 0 && x.categories[known[0]].key.name < a.Key {
					known = known[1:]
				}
				if len(known) > 0 && x.categories[known[0]].key.name == a.Key {
					id = known[0]
				} else {
					id = x.category(categoryKind(kind), a.Key, "")
				}
			}
			b.tastes, b.weights = append(b.tastes, id), append(b.weights, float32(a.Weight))
		}
		b.ends[kind] = int32(len(b.tastes))
	}
	x.tastesBefore = old
	return was
}

// setLegs lists the legs whose events are posted and have not begun, and those that have
// not come back, and moves what counts for the bettor's country.
func (x *Index) setLegs(b *Bettor, fresh *state.Bettor, from uint32) {
	was := append(x.legsBefore[:0], b.legs...)
	b.legs, b.waiting = b.legs[:0], b.waiting[:0]
	for i := range fresh.Bets {
		bet := &fresh.Bets[i]
		for _, leg := range bet.Legs {
			switch {
			case leg.Begin == 0:
				b.waiting = append(b.waiting, leg.Event)
			case !leg.HasBegun():
				slot := x.slot(leg.Event)
				x.entries[slot].held++
				b.legs = append(b.legs, legBet{slot, sinceLandmark(bet.At)})
			}
		}
	}
	sortLegs(b.legs)
	x.moveLegs(was, b.legs, from, b.country)
	for _, leg := range was {
		x.entries[leg.slot].held--
		x.drop(leg.slot)
	}
	x.legsBefore = was
}

// moveLegs counts for a country what is and not what was; both are in order.
func (x *Index) moveLegs(was, is []legBet, from, to uint32) {
	for len(was) > 0 || len(is) > 0 {
		order := -1
		switch {
		case len(was) == 0:
			order = 1
		case len(is) > 0:
			order = was[0].compare(is[0])
		}
		if order == 0 && from == to {
			was, is = was[1:], is[1:]
			continue
		}
		if order <= 0 {
			x.addCountry(was[0], from, -1)
			was = was[1:]
		}
		if order >= 0 {
			x.addCountry(is[0], to, 1)
			is = is[1:]
		}
	}
}

// sinceLandmark is a time in seconds since [landmark], within 68 years of it.
func sinceLandmark(at int64) int32 {
	return int32(min(max(at-landmark, math.MinInt32), math.MaxInt32))
}
