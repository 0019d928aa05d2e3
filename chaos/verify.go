package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"tipoff"
	"tipoff/score"
)

// verify holds the whole quiet system against the ledger and the fold.
func (h *harness) verify(ctx context.Context) (*fold, error) {
	client, err := h.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for _, t := range []*tape{&h.users, &h.events, &h.coupons, &h.rejections, &h.bettors, &h.fixtures} {
		fresh, err := t.read(client)
		if err != nil {
			return nil, err
		}
		h.take(t, fresh)
	}
	f, err := refold(h.users.records, h.events.records, h.coupons.records)
	if err != nil {
		return nil, err
	}
	h.verifyLedger()
	h.verifyRejections(f)
	if err := h.verifyDatabase(ctx, f); err != nil {
		return nil, err
	}
	return f, h.verifyTables(ctx, client, f)
}

// take keeps the newest value of each key of the tables.
func (h *harness) take(t *tape, fresh []record) {
	newest := map[*tape]map[string][]byte{&h.bettors: h.bettorValues, &h.fixtures: h.fixtureValues}[t]
	if newest == nil {
		return
	}
	t.records = nil
	for _, r := range fresh {
		newest[r.key] = r.value
	}
}

// verifyLedger: what was accepted stands on its topic, what was refused does not,
// nothing stands there that nobody posted, and versions that were posted one after
// the other's answer stand in that order.
func (h *harness) verifyLedger() {
	standing := map[*entry]bool{}
	latest := map[string]int{} // the newest version of each entity so far
	look := func(topic string, records []record, identify func(record) (entity, tag, content string)) {
		for _, r := range records {
			if isPoison(r) {
				continue
			}
			entity, tag, content := identify(r)
			e := h.ledger.find(topic, entity, tag)
			switch {
			case e == nil:
				h.wrong("%s/%d/%d: nobody posted %s %s", topic, r.partition, r.offset, entity, tag)
				continue
			case e.verdict == refused:
				h.wrong("%s/%d/%d: %s %s was refused, and stands on the topic", topic, r.partition, r.offset, entity, tag)
			case e.content != content:
				h.wrong("%s/%d/%d: %s\n  posted   %s\n  on topic %s", topic, r.partition, r.offset, entity, e.content, content)
			}
			if before := latest[topic+entity]; !standing[e] && !e.doubt && topic != tipoff.TopicCoupons && e.number < before {
				h.wrong("%s/%d/%d: version %d of %s comes after version %d", topic, r.partition, r.offset, e.number, entity, before)
			}
			standing[e] = true
			latest[topic+entity] = max(latest[topic+entity], e.number)
		}
	}
	look(tipoff.TopicUsers, h.users.records, func(r record) (string, string, string) {
		return strings.TrimPrefix(r.key, company+"/"), field(r.value, "name"), canonicalJSON(r.value)
	})
	look(tipoff.TopicEvents, h.events.records, func(r record) (string, string, string) {
		var fields struct {
			Patch  bool
			Result string
			Extra  struct{ V string }
		}
		_ = json.Unmarshal(r.value, &fields)
		tag := fields.Extra.V
		if fields.Patch {
			tag = fields.Result
		}
		return strings.TrimPrefix(r.key, company+"/"), tag, canonicalJSON(r.value)
	})
	look(tipoff.TopicCoupons, h.coupons.records, func(r record) (string, string, string) {
		content := canonicalJSON(r.value)
		return field(r.value, "user_id") + "/" + field(r.value, "coupon_id"), tagOf(content), content
	})
	for _, e := range h.ledger.all() {
		if e.verdict == accepted && !standing[e] {
			h.lost("accepted, and not on topic %s: %s %s", e.topic, e.entity, e.tag)
		}
	}
}

// verifyRejections: the dead letters are those that must be, no less and no more.
func (h *harness) verifyRejections(f *fold) {
	there := map[string]bool{}
	for _, r := range h.rejections.records {
		var rejection struct {
			Topic     string
			Partition int32
			Offset    int64
			Reason    string
		}
		if err := json.Unmarshal(r.value, &rejection); err != nil {
			h.wrong("a rejection that cannot be read: %s", r.value)
			continue
		}
		place := fmt.Sprintf("%s/%d/%d", rejection.Topic, rejection.Partition, rejection.Offset)
		there[place] = true
		if f.refused[place] == "" {
			h.wrong("%s was rejected (%s), and should not be", place, rejection.Reason)
		}
	}
	for place, why := range f.refused {
		if !there[place] {
			h.lost("%s (%s) is not among the dead letters", place, why)
		}
	}
}

// verifyDatabase: MySQL holds every user, event, coupon and selection, once and
// equal.
func (h *harness) verifyDatabase(ctx context.Context, f *fold) error {
	rows := func(query string, each func(*sql.Rows) error) error {
		found, err := h.sql.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			if err := each(found); err != nil {
				return err
			}
		}
		return found.Err()
	}
	users := map[string]int{}
	err := rows("SELECT user_id, birth_year, country, currency, gender, registration_date, COALESCE(name, ''), source_offset FROM users", func(r *sql.Rows) error {
		var u tipoff.User
		var offset int64
		if err := r.Scan(&u.ID, &u.BirthYear, &u.Country, &u.Currency, &u.Gender, &u.RegistrationDate, &u.Name, &offset); err != nil {
			return err
		}
		users[u.ID]++
		if want := f.users[u.ID]; want.content != canonical(u) || want.offset != offset {
			h.wrong("user of offset %d and %d\n  MySQL %s\n  topic %s", offset, want.offset, canonical(u), want.content)
		}
		return nil
	})
	if err != nil {
		return err
	}
	h.compareCounts("user", f.users, users)
	participants := map[int64][]string{}
	err = rows("SELECT event_pk, name FROM event_participants ORDER BY event_pk, position", func(r *sql.Rows) error {
		var event int64
		var name string
		err := r.Scan(&event, &name)
		participants[event] = append(participants[event], name)
		return err
	})
	if err != nil {
		return err
	}
	events := map[string]int{}
	err = rows(`SELECT id, event_id, announced, COALESCE(status, ''), COALESCE(result, ''), begin_at, end_at, COALESCE(sport, ''), COALESCE(league, ''),
		COALESCE(country, ''), COALESCE(extra, '') FROM events`, func(r *sql.Rows) error {
		var key int64
		var announced bool
		var begin, end sql.NullTime
		var e tipoff.Event
		var extra string
		if err := r.Scan(&key, &e.ID, &announced, &e.Status, &e.Result, &begin, &end, &e.Sport, &e.League, &e.Country, &extra); err != nil {
			return err
		}
		events[e.ID]++
		want := f.events[e.ID]
		if want == nil || want.announced != announced {
			h.wrong("MySQL has event %s announced: %v, the topic does not", e.ID, announced)
			return nil
		}
		got := map[string]any{"event_id": e.ID, "status": e.Status, "result": e.Result}
		fields := want.changes
		if announced {
			e.Begin, e.End, e.Participants = begin.Time, end.Time, participants[key]
			if extra != "" {
				e.Extra = []byte(extra)
			}
			raw, _ := json.Marshal(e)
			got, fields = map[string]any{}, want.fields
			_ = json.Unmarshal(raw, &got)
		}
		if canonical(got) != canonical(fields) {
			h.wrong("event\n  MySQL %s\n  topic %s", canonical(got), canonical(fields))
		}
		return nil
	})
	if err != nil {
		return err
	}
	h.compareCounts("event", f.events, events)
	legs := map[string][]leg{}
	err = rows("SELECT c.user_id, c.coupon_id, s.event_id, s.odds, COALESCE(s.market, ''), COALESCE(s.outcome, '') FROM selections s JOIN coupons c ON c.id = s.coupon_pk ORDER BY s.coupon_pk, s.position", func(r *sql.Rows) error {
		var user, coupon string
		var l leg
		if err := r.Scan(&user, &coupon, &l.event, &l.odds, &l.market, &l.outcome); err != nil {
			return err
		}
		legs[user+"/"+coupon] = append(legs[user+"/"+coupon], l)
		return nil
	})
	if err != nil {
		return err
	}
	wanted, coupons := map[string]*couponFact{}, map[string]int{}
	for _, list := range f.coupons {
		for _, c := range list {
			wanted[c.user+"/"+c.id] = c
		}
	}
	err = rows("SELECT user_id, coupon_id, stake, placed_at FROM coupons", func(r *sql.Rows) error {
		var user, id string
		var stake float64
		var placed time.Time
		if err := r.Scan(&user, &id, &stake, &placed); err != nil {
			return err
		}
		key := user + "/" + id
		coupons[key]++
		if want := wanted[key]; want != nil && (want.stake != stake || !want.placed.Equal(placed) || fmt.Sprint(want.legs) != fmt.Sprint(legs[key])) {
			h.wrong("MySQL has coupon %s as %v %s %v, the topic %v %s %v", key, stake, placed, legs[key], want.stake, want.placed, want.legs)
		}
		return nil
	})
	if err != nil {
		return err
	}
	h.compareCounts("coupon", wanted, coupons)
	return nil
}

func (h *harness) compareCounts(what string, want any, got map[string]int) {
	keys := map[string]bool{}
	switch want := want.(type) {
	case map[string]userFact:
		for key := range want {
			keys[key] = true
		}
	case map[string]*eventFact:
		for key := range want {
			keys[key] = true
		}
	case map[string]*couponFact:
		for key := range want {
			keys[key] = true
		}
	}
	for key := range keys {
		if got[key] == 0 {
			h.lost("%s %s is on the topic, not in MySQL", what, key)
		}
	}
	for key, n := range got {
		if n > 1 {
			h.twice("%s %s is in MySQL %d times", what, key, n)
		}
		if !keys[key] {
			h.wrong("%s %s is in MySQL, not on the topic", what, key)
		}
	}
}

// verifyTables: the newest value of every key equals the fold. A value that a
// former owner wrote is written again shortly, so the tables get some time.
func (h *harness) verifyTables(ctx context.Context, client sarama.Client, f *fold) error {
	demands := f.demands()
	tastes := map[string]taste{}
	for user := range f.coupons {
		tastes[user] = f.taste(user)
	}
	within, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var faults []fault
	_ = h.eventually(within, "tables", func() error {
		for _, t := range []*tape{&h.bettors, &h.fixtures} {
			fresh, err := t.read(client)
			if err != nil {
				faults = []fault{{kind: "wrong", text: err.Error()}}
				return err
			}
			h.take(t, fresh)
		}
		faults = nil
		h.compareBettors(f, tastes, &faults)
		h.compareFixtures(f, demands, &faults)
		if len(faults) > 0 {
			return fmt.Errorf("%d differences", len(faults))
		}
		return nil
	})
	for _, fault := range faults {
		h.found(fault)
	}
	return nil
}

func (h *harness) compareBettors(f *fold, tastes map[string]taste, faults *[]fault) {
	say := func(kind, format string, args ...any) {
		*faults = append(*faults, fault{kind, fmt.Sprintf(format, args...)})
	}
	for user, want := range f.users {
		b, err := score.UnmarshalBettor(h.bettorValues[tipoff.Key(company, user)])
		switch {
		case err != nil:
			say("lost", "bettor %s is not in the table: %v", user, err)
		case !b.Known || canonical(b.User) != want.content:
			say("wrong", "bettor %s\n  table %s\n  topic %s", user, canonical(b.User), want.content)
		}
	}
	for key := range h.bettorValues {
		user := strings.TrimPrefix(key, company+"/")
		if _, known := f.users[user]; !known && len(f.coupons[user]) == 0 {
			say("wrong", "the table has a bettor %s of whom nothing is on the topics", key)
		}
	}
	for user, want := range tastes {
		b, err := score.UnmarshalBettor(h.bettorValues[tipoff.Key(company, user)])
		if err != nil {
			say("lost", "bettor %s is not in the table: %v", user, err)
			continue
		}
		if b.Legs != want.legs {
			say(lessOrMore(b.Legs, want.legs), "bettor %s has learnt from %d legs, the fold from %d", user, b.Legs, want.legs)
			continue
		}
		waiting := 0
		for _, bet := range b.Bets {
			waiting += bits.OnesCount64(bet.Waiting)
		}
		if len(b.Bets) != len(f.coupons[user]) || waiting != want.waiting {
			say("wrong", "bettor %s has %d coupons and %d legs that wait, the fold %d and %d", user, len(b.Bets), waiting, len(f.coupons[user]), want.waiting)
		}
		if want.legs == 0 {
			continue
		}
		fade := math.Pow(2, -float64(want.at-b.At)/tasteHalfLife)
		compare := func(what string, got []score.Affinity, want map[string]float64, most int, key func(string) uint32) {
			weights := map[uint32]float64{}
			for name, w := range want {
				weights[key(name)] += w
			}
			if len(got) != min(len(weights), most) {
				say("wrong", "bettor %s has %d %s, the fold %d", user, len(got), what, len(weights))
				return
			}
			cut := len(weights) > most // what left the list and came back has lost weight
			for _, a := range got {
				if !near(a.Weight*fade, weights[a.Key]) && !(cut && a.Weight*fade < weights[a.Key]) {
					say("wrong", "bettor %s, %s %d: weight %v, the fold %v", user, what, a.Key, a.Weight*fade, weights[a.Key])
				}
			}
		}
		pair := func(name string) uint32 {
			sport, rest, _ := strings.Cut(name, "/")
			return score.Name(sport, rest)
		}
		single := func(name string) uint32 { return score.Name(name) }
		if !near(b.Weight*fade, want.weight) {
			say("wrong", "bettor %s: weight %v, the fold %v", user, b.Weight*fade, want.weight)
		}
		compare("sports", b.Sports, want.sports, score.MaxSports, single)
		compare("leagues", b.Leagues, want.leagues, score.MaxLeagues, pair)
		compare("teams", b.Teams, want.teams, score.MaxTeams, pair)
		compare("markets", b.Markets, want.markets, score.MaxTastes, single)
		compare("odds", b.Odds, want.odds, score.MaxTastes, func(name string) uint32 {
			var n uint32
			_, _ = fmt.Sscan(name, &n)
			return n
		})
	}
}

func (h *harness) compareFixtures(f *fold, demands map[string]*demand, faults *[]fault) {
	say := func(kind, format string, args ...any) {
		*faults = append(*faults, fault{kind, fmt.Sprintf(format, args...)})
	}
	for id, want := range f.events {
		fixture, err := score.UnmarshalFixture(h.fixtureValues[tipoff.Key(company, id)])
		switch {
		case err != nil:
			say("lost", "event %s is not in the table: %v", id, err)
		case fixture.Known != want.announced:
			say("wrong", "event %s is announced in the table: %v, on the topic: %v", id, fixture.Known, want.announced)
		case want.announced && canonical(fixture.Event) != canonical(want.fields):
			say("wrong", "event %s\n  table %s\n  topic %s", id, canonical(fixture.Event), canonical(want.fields))
		}
	}
	for key := range h.fixtureValues {
		id := strings.TrimPrefix(key, company+"/")
		if whole, _, isChunk := tipoff.SplitPartKey(id); isChunk {
			id = whole
		}
		if f.events[id] == nil && demands[id] == nil {
			say("wrong", "the table has a fixture %s of which nothing is on the topics", key)
		}
	}
	for id, want := range demands {
		fixture, err := score.UnmarshalFixture(h.fixtureValues[tipoff.Key(company, id)])
		if err != nil {
			say("lost", "fixture %s is not in the table: %v", id, err)
			continue
		}
		if fixture.Legs != want.legs {
			say(lessOrMore(fixture.Legs, want.legs), "fixture %s counts %d legs, the fold %d", id, fixture.Legs, want.legs)
			continue
		}
		if got := fixture.Popularity.Sum * math.Pow(2, -float64(want.at-fixture.Popularity.At)/popularityHalfLife); !near(got, want.popularity) {
			say("wrong", "fixture %s has popularity %v, the fold %v", id, got, want.popularity)
		}
		for i, halfLife := range paceHalfLives {
			if pace := fixture.Paces[i]; !near(pace.Sum*math.Pow(2, -float64(want.at-pace.At)/halfLife), want.paces[i]) {
				say("wrong", "fixture %s has %v bets of half-life %v s, the fold %v", id, pace, halfLife, want.paces[i])
			}
		}
		if fixture.FirstBet != want.first {
			say("wrong", "fixture %s was first bet on at %d, the fold says %d", id, fixture.FirstBet, want.first)
		}
		if len(want.outcomes) <= score.MaxOutcomes {
			if len(fixture.Outcomes) != len(want.outcomes) {
				say("lost", "fixture %s has %d outcomes, the fold %d", id, len(fixture.Outcomes), len(want.outcomes))
			}
			for _, o := range fixture.Outcomes {
				if o.Bets != want.outcomes[o.Market+"/"+o.Outcome] {
					say("wrong", "fixture %s counts %d bets on %s %s, the fold %d", id, o.Bets, o.Market, o.Outcome, want.outcomes[o.Market+"/"+o.Outcome])
				}
			}
		}
		if len(want.neighbours) <= score.MaxNeighbours {
			if len(fixture.Neighbours) != len(want.neighbours) {
				say("wrong", "fixture %s has %d neighbours, the fold %d", id, len(fixture.Neighbours), len(want.neighbours))
			}
			for _, n := range fixture.Neighbours {
				if n.Weight != want.neighbours[n.Event] {
					say("wrong", "fixture %s has neighbour %d with %d, the fold %d", id, n.Event, n.Weight, want.neighbours[n.Event])
				}
			}
		}
	}
}

func lessOrMore(got, want uint64) string {
	if got < want {
		return "lost"
	}
	return "twice"
}

// near allows for rounding: one part in a billion.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1e-3, math.Abs(a), math.Abs(b)) }
