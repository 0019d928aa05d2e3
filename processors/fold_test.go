package processors_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

// picture is what the tables say, without bookkeeping: what must be equal exactly,
// and sums, decayed to the same moment, that must be equal but for rounding. Lines
// are "bettor a/u legs" and the like.
type picture struct {
	exact map[string]string
	sums  map[string]float64
}

func newPicture() picture { return picture{map[string]string{}, map[string]float64{}} }

// sumsAt is the moment to which sums are decayed.
var sumsAt = time.Now().Unix()

func faded(weight float64, at int64, halfLife time.Duration) float64 {
	return weight * math.Exp2(float64(at-sumsAt)/halfLife.Seconds())
}

func inJSON(v any) string {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// differences names up to five lines that differ.
func (p picture) differences(want picture) (said []string) {
	for line, is := range want.exact {
		if got, ok := p.exact[line]; !ok || got != is {
			said = append(said, fmt.Sprintf("%s: %q, want %q", line, got, is))
		}
	}
	for line, got := range p.exact {
		if _, ok := want.exact[line]; !ok {
			said = append(said, fmt.Sprintf("%s: %q, want nothing", line, got))
		}
	}
	for line, is := range want.sums {
		if got := p.sums[line]; !(math.Abs(got-is) <= 1e-9*math.Max(1, math.Abs(is))) {
			said = append(said, fmt.Sprintf("%s: %v, want %v", line, got, is))
		}
	}
	for line, got := range p.sums {
		if _, ok := want.sums[line]; !ok && !(math.Abs(got) <= 1e-9) {
			said = append(said, fmt.Sprintf("%s: %v, want nothing", line, got))
		}
	}
	slices.Sort(said)
	return said[:min(len(said), 5)]
}

func (p picture) addBettor(key string, b *state.Bettor) {
	line := "bettor " + key + " "
	if b.Known {
		p.exact[line+"user"] = inJSON(b.User)
	}
	p.exact[line+"legs"] = fmt.Sprint(b.LegCount)
	p.sums[line+"weight"] = faded(b.Weight, b.At, state.TasteHalfLife)
	for kind, list := range map[string][]state.Affinity{
		"sport": b.Sports, "league": b.Leagues, "team": b.Teams, "market": b.Markets, "odds": b.Odds,
	} {
		for _, a := range list {
			p.sums[fmt.Sprint(line, kind, " ", a.Key)] = faded(a.Weight, b.At, state.TasteHalfLife)
		}
	}
	for _, bet := range b.Bets {
		p.exact[fmt.Sprintf("%sbet %x", line, bet.Coupon)] = fmt.Sprintf("at %d, waiting %b", bet.At, bet.Waiting)
	}
}

func (p picture) addFixture(key string, f *state.Fixture) {
	line := "fixture " + key + " "
	if f.Known {
		p.exact[line+"event"] = inJSON(f.Event)
	} else {
		p.exact[line+"patch"] = inJSON(f.Patch)
	}
	p.exact[line+"legs"] = fmt.Sprint(f.LegCount)
	p.sums[line+"popularity"] = faded(f.Popularity.Sum, f.Popularity.At, state.PopularityHalfLife)
	for _, o := range f.Outcomes {
		p.exact[line+o.Market+" "+o.Outcome] = fmt.Sprint(o.Bets)
	}
	for _, n := range f.Neighbours {
		p.exact[fmt.Sprintf("%sneighbour %x", line, n.Event)] = fmt.Sprint(n.Weight)
	}
}

// said is what a company's part of the tables says.
func (w *world) said(company string) picture {
	w.Helper()
	p := newPicture()
	for key, value := range w.table(topics.TableBettors, company) {
		b, err := state.UnmarshalBettor([]byte(value))
		if err != nil {
			w.Fatalf("bettor %s: %v", key, err)
		}
		p.addBettor(key, b)
	}
	for key, value := range w.table(topics.TableFixtures, company) {
		if _, _, chunk := topics.SplitPartKey(key); chunk {
			continue
		}
		f, err := state.UnmarshalFixture([]byte(value))
		if err != nil {
			w.Fatalf("fixture %s: %v", key, err)
		}
		p.addFixture(key, f)
	}
	for _, r := range w.read(topics.Rejected) {
		var rejected topics.Rejection
		if err := json.Unmarshal([]byte(r.value), &rejected); err != nil {
			w.Fatal(err)
		}
		if strings.HasPrefix(rejected.Key, company+"/") {
			p.exact["rejected "+r.key] = ""
		}
	}
	return p
}

// folded is what the tables must say: the facts that are on the topics, each counted
// once. It knows the meaning of the facts, but shares nothing with the processors
// but names of things.
func (w *world) folded(company string) picture {
	w.Helper()
	p := newPicture()
	bettors, fixtures := map[string]*bettorFold{}, map[string]*fixtureFold{}
	bettor := func(key string) *bettorFold {
		if bettors[key] == nil {
			bettors[key] = &bettorFold{}
		}
		return bettors[key]
	}
	fixture := func(key string) *fixtureFold {
		if fixtures[key] == nil {
			fixtures[key] = &fixtureFold{outcomes: map[string]int{}, neighbours: map[uint64]int{}}
		}
		return fixtures[key]
	}
	ours := func(topic string) (list []record) {
		return slices.DeleteFunc(w.read(topic), func(r record) bool { return !strings.HasPrefix(r.key, company+"/") })
	}
	decode := func(r record, value any) {
		if err := json.Unmarshal([]byte(r.value), value); err != nil {
			w.Fatalf("%s: %v", r.value, err)
		}
	}
	for _, r := range ours(topics.Users) {
		b := bettor(r.key)
		b.user = new(tipoff.User)
		decode(r, b.user)
	}
	for _, r := range ours(topics.Events) {
		if f := fixture(r.key); strings.HasPrefix(r.value, `{"patch":true`) {
			var patch tipoff.EventPatch
			decode(r, &patch)
			patch.Patch = false
			f.change(patch)
		} else {
			var event tipoff.Event
			decode(r, &event)
			f.post(event)
		}
	}
	for _, r := range ours(topics.Coupons) {
		var c tipoff.Coupon
		decode(r, &c)
		at := c.Timestamp.Unix()
		if received, err := topics.ParseReceived([]byte(r.headers[topics.HeaderReceived])); err == nil {
			at = min(at, received.Unix())
		}
		b := bettor(r.key)
		if stands := b.coupon(c.ID); stands != nil {
			if inJSON(stands.Coupon) != inJSON(c) {
				p.exact["rejected "+topics.Rejection{By: topics.GroupBettors, Topic: topics.Coupons, Partition: r.partition, Offset: r.offset}.ID()] = ""
			}
			continue
		}
		history := b.note(c, at)
		for _, leg := range c.Selections {
			f := fixture(topics.Key(company, leg.EventID))
			f.count(leg, at, history)
			history = append([]string{leg.EventID}, slices.DeleteFunc(history, func(other string) bool { return other == leg.EventID })...)
		}
	}
	for key, b := range bettors {
		b.add(p, key, func(event string) *tipoff.Event { return fixtures[topics.Key(company, event)].event })
	}
	for key, f := range fixtures {
		f.add(p, key)
	}
	return p
}

type bettorFold struct {
	user *tipoff.User
	bets []betFold // by time
}

type betFold struct {
	tipoff.Coupon
	at int64
}

func (b *bettorFold) coupon(id string) *betFold {
	for i := range b.bets {
		if b.bets[i].ID == id {
			return &b.bets[i]
		}
	}
	return nil
}

// note adds a bet and answers the distinct events bet on before, newest first.
func (b *bettorFold) note(c tipoff.Coupon, at int64) (history []string) {
	place := 0
	for place < len(b.bets) && b.bets[place].at <= at {
		place++
	}
	for i := place - 1; i >= 0; i-- {
		for _, leg := range slices.Backward(b.bets[i].Selections) {
			if !slices.Contains(history, leg.EventID) {
				history = append(history, leg.EventID)
			}
		}
	}
	b.bets = slices.Insert(b.bets, place, betFold{c, at})
	return history
}

func (b *bettorFold) add(p picture, key string, event func(string) *tipoff.Event) {
	line, legs := "bettor "+key+" ", 0
	if b.user != nil {
		p.exact[line+"user"] = inJSON(b.user)
	}
	p.sums[line+"weight"] = 0
	for _, bet := range b.bets {
		waiting := 0
		for i, leg := range bet.Selections {
			e := event(leg.EventID)
			if e == nil {
				waiting |= 1 << i
				continue
			}
			legs++
			one := faded(1, bet.at, state.TasteHalfLife)
			p.sums[line+"weight"] += one
			p.sums[fmt.Sprint(line, "sport ", state.Name(e.Sport))] += one
			p.sums[fmt.Sprint(line, "league ", state.Name(e.Sport, e.League))] += one
			for _, team := range e.Participants {
				p.sums[fmt.Sprint(line, "team ", state.Name(e.Sport, team))] += one
			}
			if leg.Market != "" {
				p.sums[fmt.Sprint(line, "market ", state.Name(leg.Market))] += one
			}
			p.sums[fmt.Sprint(line, "odds ", state.OddsRange(leg.Odds))] += one
		}
		p.exact[fmt.Sprintf("%sbet %x", line, state.CouponRef(&bet.Coupon))] = fmt.Sprintf("at %d, waiting %b", bet.at, waiting)
	}
	p.exact[line+"legs"] = fmt.Sprint(legs)
}

type fixtureFold struct {
	event      *tipoff.Event
	patches    []tipoff.EventPatch // before the event
	legs       int
	popularity float64
	outcomes   map[string]int
	neighbours map[uint64]int
}

func (f *fixtureFold) post(e tipoff.Event) {
	f.event = &e
	for _, p := range f.patches {
		f.change(p)
	}
	f.patches = nil
}

func (f *fixtureFold) change(p tipoff.EventPatch) {
	if f.event == nil {
		f.patches = append(f.patches, p)
		return
	}
	if p.Status != "" {
		f.event.Status = p.Status
	}
	if p.Result != "" {
		f.event.Result = p.Result
	}
}

// pairs are the weights of the events bet on before a leg, in 1/65536.
var pairs = []int{65536, 45875, 32113, 22479, 15735, 11015, 7710, 5397, 3778, 2645}

func (f *fixtureFold) count(leg tipoff.Selection, at int64, history []string) {
	f.legs++
	f.popularity += faded(1, at, state.PopularityHalfLife)
	if leg.Outcome != "" {
		f.outcomes[leg.Market+" "+leg.Outcome]++
	}
	lag := 0
	for _, event := range history {
		if event != leg.EventID && lag < len(pairs) {
			f.neighbours[tipoff.EventRef(event)] += pairs[lag]
			lag++
		}
	}
}

func (f *fixtureFold) add(p picture, key string) {
	line := "fixture " + key + " "
	if f.event != nil {
		p.exact[line+"event"] = inJSON(f.event)
	} else {
		var merged tipoff.EventPatch
		for _, patch := range f.patches {
			merged.ID = patch.ID
			if patch.Status != "" {
				merged.Status = patch.Status
			}
			if patch.Result != "" {
				merged.Result = patch.Result
			}
		}
		p.exact[line+"patch"] = inJSON(merged)
	}
	p.exact[line+"legs"] = fmt.Sprint(f.legs)
	p.sums[line+"popularity"] = f.popularity
	for name, bets := range f.outcomes {
		p.exact[line+name] = fmt.Sprint(bets)
	}
	for event, weight := range f.neighbours {
		p.exact[fmt.Sprintf("%sneighbour %x", line, event)] = fmt.Sprint(weight)
	}
}
