package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"tipoff"
)

// fold is what users, events and bets must have come to: worked out anew from the
// records of the fact topics, by the rules of docs/reliability.md and with none of
// the code under test.
type fold struct {
	users   map[string]userFact
	events  map[string]*eventFact
	coupons map[string][]*couponFact // by user, in the order of the topic
	refused map[string]string        // records that must be on the topic of rejections: place and why
}

type userFact struct {
	tag, content string
	record
}

type eventFact struct {
	announced bool
	fields    map[string]any // as posted and changed
	changes   map[string]any // before it was announced
	record
}

type couponFact struct {
	id, user, tag, content string
	stake                  float64
	placed                 time.Time
	counted                int64 // Unix seconds: as placed, but not after it was received
	legs                   []leg
	record
}

type leg struct {
	event, market, outcome string
	odds                   float64
}

// refold works the whole fold out.
func refold(users, events, coupons []record) (*fold, error) {
	f := &fold{users: map[string]userFact{}, events: map[string]*eventFact{}, coupons: map[string][]*couponFact{}, refused: map[string]string{}}
	for _, r := range users {
		if isPoison(r) {
			f.refuse(tipoff.TopicUsers, r, "not JSON")
			continue
		}
		id := strings.TrimPrefix(r.key, company+"/")
		f.users[id] = userFact{tag: field(r.value, "name"), content: canonicalJSON(r.value), record: r}
	}
	for _, r := range events {
		if isPoison(r) {
			f.refuse(tipoff.TopicEvents, r, "not JSON")
			continue
		}
		if err := f.event(r); err != nil {
			return nil, err
		}
	}
	for _, r := range coupons {
		if isPoison(r) {
			f.refuse(tipoff.TopicCoupons, r, "not JSON")
			continue
		}
		if err := f.coupon(r); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *fold) refuse(topic string, r record, why string) {
	f.refused[fmt.Sprintf("%s/%d/%d", topic, r.partition, r.offset)] = why
}

func field(value []byte, name string) string {
	var fields map[string]any
	_ = json.Unmarshal(value, &fields)
	text, _ := fields[name].(string)
	return text
}

func canonicalJSON(value []byte) string { return canonical(json.RawMessage(value)) }

func (f *fold) event(r record) error {
	var fields map[string]any
	if err := json.Unmarshal(r.value, &fields); err != nil {
		return fmt.Errorf("record of an event: %w", err)
	}
	id := strings.TrimPrefix(r.key, company+"/")
	e := f.events[id]
	if e == nil {
		e = &eventFact{changes: map[string]any{}}
		f.events[id] = e
	}
	isPatch := fields["patch"] == true
	delete(fields, "patch")
	switch {
	case !isPatch:
		if e.fields = fields; !e.announced {
			for name, value := range e.changes {
				e.fields[name] = value
			}
		}
		e.announced = true
	case e.announced:
		for name, value := range fields {
			e.fields[name] = value
		}
	default:
		for name, value := range fields {
			e.changes[name] = value
		}
	}
	e.record = r
	return nil
}

func (f *fold) coupon(r record) error {
	var c struct {
		ID         string    `json:"coupon_id"`
		User       string    `json:"user_id"`
		Stake      float64   `json:"stake"`
		Timestamp  time.Time `json:"timestamp"`
		Selections []struct {
			Event   string `json:"event_id"`
			Odds    float64
			Market  string
			Outcome string
		}
	}
	if err := json.Unmarshal(r.value, &c); err != nil {
		return fmt.Errorf("record of a coupon: %w", err)
	}
	content := canonicalJSON(r.value)
	for _, other := range f.coupons[c.User] {
		if other.id == c.ID { // the first one stands
			if other.content != content {
				f.refuse(tipoff.TopicCoupons, r, "differs from the coupon that stands")
			}
			return nil
		}
	}
	received := r.appended
	if !r.received.IsZero() && r.received.Before(received) {
		received = r.received
	}
	fact := &couponFact{
		id: c.ID, user: c.User, tag: tagOf(content), content: content, stake: c.Stake, placed: c.Timestamp,
		counted: min(c.Timestamp.Unix(), received.Unix()), record: r,
	}
	for _, s := range c.Selections {
		fact.legs = append(fact.legs, leg{s.Event, s.Market, s.Outcome, s.Odds})
	}
	f.coupons[c.User] = append(f.coupons[c.User], fact)
	return nil
}

func (f *fold) known(event string) *eventFact {
	if e := f.events[event]; e != nil && e.announced {
		return e
	}
	return nil
}

// open says whether an event may be recommended at a moment.
func (f *fold) open(event string, at time.Time) bool {
	e := f.known(event)
	return e != nil && e.fields["status"] == "open" && at.Before(e.begin())
}

func (e *eventFact) begin() time.Time {
	at, _ := time.Parse(time.RFC3339, e.fields["begin_timestamp"].(string))
	return at
}

// Half-lives, seconds: docs/reliability.md.
const (
	tasteHalfLife      = 30 * 24 * 3600
	popularityHalfLife = 6 * 3600
)

// paceHalfLives are those of the other counts of a fixture's bets, in seconds.
var paceHalfLives = [...]float64{5 * 60, 20 * 60, 2 * 3600, 48 * 3600, 30 * 24 * 3600}

// taste is what a bettor's value must hold.
type taste struct {
	legs                                  uint64
	at                                    int64 // Unix seconds that the weights refer to
	weight                                float64
	sports, leagues, teams, markets, odds map[string]float64
	waiting                               int // legs whose event is not announced
}

var rangeBounds = []float64{1.2, 1.5, 2, 3, 5, 10}

func (f *fold) taste(user string) taste {
	t := taste{sports: map[string]float64{}, leagues: map[string]float64{}, teams: map[string]float64{}, markets: map[string]float64{}, odds: map[string]float64{}}
	type learnt struct {
		leg
		at int64
		*eventFact
	}
	var all []learnt
	for _, c := range f.coupons[user] {
		for _, l := range c.legs {
			if e := f.known(l.event); e != nil {
				all = append(all, learnt{l, c.counted, e})
				t.at = max(t.at, c.counted)
			} else {
				t.waiting++
			}
		}
	}
	for _, l := range all {
		w := math.Pow(2, -float64(t.at-l.at)/tasteHalfLife)
		t.legs++
		t.weight += w
		sport, league := l.fields["sport"].(string), l.fields["league"].(string)
		t.sports[sport] += w
		t.leagues[sport+"/"+league] += w
		participants, _ := l.fields["participants"].([]any)
		for _, team := range participants {
			t.teams[sport+"/"+team.(string)] += w
		}
		if l.market != "" {
			t.markets[l.market] += w
		}
		t.odds[fmt.Sprint(sort.SearchFloat64s(rangeBounds, math.Nextafter(l.leg.odds, 1e9)))] += w
	}
	return t
}

// demand is what a fixture's value must hold.
type demand struct {
	legs       uint64
	first, at  int64 // Unix seconds
	popularity float64
	paces      [len(paceHalfLives)]float64
	outcomes   map[string]uint64
	neighbours map[uint64]uint64 // by reference; weight in 1/65536
}

// demands works out the demand of every event that somebody bet on.
func (f *fold) demands() map[string]*demand {
	all := map[string]*demand{}
	times := map[string][]int64{}
	for _, coupons := range f.coupons {
		for i, c := range coupons {
			before := eventsBefore(coupons[:i], c)
			for _, l := range c.legs {
				d := all[l.event]
				if d == nil {
					d = &demand{outcomes: map[string]uint64{}, neighbours: map[uint64]uint64{}}
					all[l.event] = d
				}
				d.legs++
				times[l.event] = append(times[l.event], c.counted)
				if l.outcome != "" {
					d.outcomes[l.market+"/"+l.outcome]++
				}
				lag := 0
				for _, other := range before {
					if other != l.event && lag < 10 {
						d.neighbours[tipoff.EventRef(other)] += uint64(math.Round(65536 * math.Pow(0.7, float64(lag))))
						lag++
					}
				}
				before = append([]string{l.event}, slices.DeleteFunc(before, func(other string) bool { return other == l.event })...)
			}
		}
	}
	for event, d := range all {
		d.first, d.at = slices.Min(times[event]), slices.Max(times[event])
		for _, at := range times[event] {
			d.popularity += math.Pow(2, -float64(d.at-at)/popularityHalfLife)
			for i, halfLife := range paceHalfLives {
				d.paces[i] += math.Pow(2, -float64(d.at-at)/halfLife)
			}
		}
	}
	return all
}

// eventsBefore lists the distinct events of a user's earlier bets, the latest
// placed first: of those that came before c and are not dated after it.
func eventsBefore(earlier []*couponFact, c *couponFact) (list []string) {
	dated := slices.DeleteFunc(slices.Clone(earlier), func(e *couponFact) bool { return e.counted > c.counted })
	sort.SliceStable(dated, func(i, j int) bool { return dated[i].counted < dated[j].counted })
	for i := len(dated) - 1; i >= 0; i-- {
		for j := len(dated[i].legs) - 1; j >= 0; j-- {
			if event := dated[i].legs[j].event; !slices.Contains(list, event) {
				list = append(list, event)
			}
		}
	}
	return list
}
