package processors

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/tester"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
	"tipoff/trace"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

// pipeline is both processors on a broker of one partition, in step with the test.
type pipeline struct {
	*testing.T
	tester   *tester.Tester
	rejected *tester.QueueTracker
	resolved *tester.QueueTracker
}

// soleOwner is where the test's callbacks run: one owner, nothing known to be finished.
type soleOwner struct{}

func (soleOwner) Tracer() *trace.Tracer                          { return nil }
func (soleOwner) Source(string) uint32                           { return 7 }
func (soleOwner) Epoch(int32) uint64                             { return 3 }
func (soleOwner) Sequence(_ string, _ int32, offset int64) int64 { return offset }
func (soleOwner) Finished(string, int32) int64                   { return 0 }

func (soleOwner) Held(int32, string) int { return 0 }

func (soleOwner) Hold(string, int32, string, int64)   {}
func (soleOwner) Settle(string, int32, string, int64) {}

func (soleOwner) Rejected(string, topics.RejectionKind) {}

func newPipeline(t *testing.T) *pipeline { return newPipelineOf(t, topics.TableSet{}) }

func newPipelineOf(t *testing.T, set topics.TableSet) *pipeline {
	return newPipelineBy(t, soleOwner{}, set)
}

func newPipelineBy(t *testing.T, owner Ownership, set topics.TableSet) *pipeline {
	p := &pipeline{T: t, tester: tester.New(t)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	for _, graph := range []*goka.GroupGraph{Bettors(owner, set), Fixtures(owner, set)} {
		processor, err := goka.NewProcessor(nil, graph, goka.WithTester(p.tester))
		if err != nil {
			t.Fatal(err)
		}
		go func() { ended <- processor.Run(ctx) }()
	}
	p.rejected = p.tester.NewQueueTracker(topics.Rejected)
	p.resolved = p.tester.NewQueueTracker(set.Resolved())
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Errorf("a processor ended: %v", err)
			}
		}
	})
	return p
}

func (p *pipeline) send(r topics.Record) {
	headers := maps.Collect(topics.Headers{Received: r.Received, Events: r.Events}.All())
	p.tester.Consume(r.Topic, r.Key, r.Value, tester.WithTime(noon.Add(time.Second)), tester.WithHeaders(headers))
}

func (p *pipeline) bettor(id string) *state.Bettor {
	p.Helper()
	value, ok := p.tester.TableValue(topics.TableBettors, topics.Key("default", id)).([]byte)
	if !ok {
		p.Fatalf("the table has no bettor %s", id)
	}
	b, err := state.UnmarshalBettor(value)
	if err != nil {
		p.Fatal(err)
	}
	return b
}

func (p *pipeline) fixture(id string) *state.Fixture {
	p.Helper()
	value, ok := p.tester.TableValue(topics.TableFixtures, topics.Key("default", id)).([]byte)
	if !ok {
		p.Fatalf("the table has no fixture %s", id)
	}
	f, err := state.UnmarshalFixture(value)
	if err != nil {
		p.Fatal(err)
	}
	return f
}

func (p *pipeline) wantRejected(reasons ...string) {
	p.Helper()
	for _, reason := range reasons {
		_, value, ok := p.rejected.Next()
		if !ok {
			p.Errorf("nothing was rejected, want %q", reason)
			continue
		}
		var r topics.Rejection
		if err := json.Unmarshal(value.([]byte), &r); err != nil {
			p.Fatal(err)
		}
		if !strings.Contains(r.Reason, reason) || r.Topic == "" || r.By == "" || r.Key == "" {
			p.Errorf("rejected %+v, want the reason %q", r, reason)
		}
	}
	if _, value, ok := p.rejected.Next(); ok {
		p.Errorf("rejected too: %s", value)
	}
}

func user(id string) topics.Record {
	return topics.UserRecord("default", tipoff.User{
		ID: id, BirthYear: 1990, Country: "USA", Currency: "USD", Gender: "male", RegistrationDate: noon,
	}, noon)
}

func event(id, league string) topics.Record {
	return topics.EventRecord("default", tipoff.Event{
		ID: id, Begin: noon.Add(time.Hour), End: noon.Add(2 * time.Hour), Country: "USA", League: league, Sport: "Tennis",
		Participants: []string{"A", "B"}, Status: tipoff.StatusOpen,
	}, noon)
}

func coupon(id, user string, stake float64, events ...string) topics.Record {
	c := tipoff.Coupon{ID: id, UserID: user, Stake: stake, Timestamp: noon}
	for _, e := range events {
		c.Selections = append(c.Selections, tipoff.Selection{EventID: e, Odds: 2})
	}
	return topics.CouponRecord("default", c, noon)
}

func TestACouponTeachesTheBettorAndTheFixture(t *testing.T) {
	p := newPipeline(t)
	p.send(user("u"))
	p.send(event("e1", "Liga"))
	p.send(event("e2", "Liga"))
	p.send(coupon("c1", "u", 10, "e1", "e2"))
	b := p.bettor("u")
	if !b.Known || b.LegCount != 2 || len(b.Leagues) != 1 || b.Leagues[0].Key != state.Name("Tennis", "Liga") || b.Leagues[0].Weight != 2 {
		t.Errorf("bettor = %+v", b)
	}
	if f := p.fixture("e2"); f.LegCount != 1 || len(f.Neighbours) != 1 || f.Neighbours[0].Event != tipoff.EventRef("e1") {
		t.Errorf("fixture = %+v", f)
	}
	p.wantRejected()
}

func TestAUserNeverPostedCountsAllTheSame(t *testing.T) {
	p := newPipeline(t)
	p.send(event("e1", "Liga"))
	p.send(coupon("c1", "stranger", 10, "e1"))
	if b := p.bettor("stranger"); b.Known || b.LegCount != 1 {
		t.Errorf("bettor = %+v", b)
	}
}

func TestALegCountsWhenItsEventComes(t *testing.T) {
	p := newPipeline(t)
	const early = 3*state.WaitersPerChunk + 1
	for i := range early {
		p.send(coupon(fmt.Sprint("c", i), fmt.Sprint("u", i%5), 10, "late", "known"))
	}
	p.send(event("known", "Liga"))
	if b := p.bettor("u0"); b.LegCount == 0 {
		t.Error("a leg whose event is not known held up another")
	}
	p.send(topics.PatchRecord("default", tipoff.EventPatch{ID: "late", Status: tipoff.StatusSuspended}, noon))
	p.send(event("late", "Serie"))
	legs := uint64(0)
	for i := range 5 {
		b := p.bettor(fmt.Sprint("u", i))
		legs += b.LegCount
		for _, bet := range b.Bets {
			if bet.Waiting != 0 {
				t.Errorf("coupon %x still waits", bet.Coupon)
			}
		}
	}
	if legs != 2*early {
		t.Errorf("%d legs count, want %d", legs, 2*early)
	}
	f := p.fixture("late")
	if f.LegCount != early || f.Event.Status != tipoff.StatusSuspended || f.Chunks() != 4 {
		t.Errorf("legs = %d, status = %s, chunks = %d", f.LegCount, f.Event.Status, f.Chunks())
	}
	before := p.bettor("u0").LegCount
	p.send(event("late", "Serie")) // posted again: nobody waits any more
	if p.bettor("u0").LegCount != before || p.fixture("late").LegCount != early {
		t.Error("a second post counted something")
	}
	p.wantRejected()
}

func TestALegThatReachesAChunkAfterTheReleaseIsAnswered(t *testing.T) {
	p := newPipeline(t)
	p.send(coupon("c1", "u", 10, "e"))
	p.send(event("e", "Liga"))
	legs := new(state.Bettor).LegsOf(&tipoff.Coupon{ID: "c1", UserID: "u", Stake: 10, Timestamp: noon, Selections: []tipoff.Selection{{EventID: "e", Odds: 2}}},
		state.Cause{Position: state.Position{Source: 7}}, noon.Unix())
	p.resolved.Seek(p.resolved.Hwm())
	p.tester.Consume(topics.LoopFixtures, topics.PartKey(topics.Key("default", "e"), "0"), state.MarshalMessage(&legs[0]))
	if _, _, ok := p.resolved.Next(); !ok {
		t.Error("a late leg was not answered")
	}
	if b := p.bettor("u"); b.LegCount != 1 {
		t.Errorf("legs = %d, want 1", b.LegCount)
	}
}

func TestARepeatCountsOnce(t *testing.T) {
	p := newPipeline(t)
	p.send(event("e1", "Liga"))
	p.send(event("e2", "Liga"))
	p.send(coupon("c1", "u", 10, "e1"))
	p.send(coupon("c1", "u", 10, "e1"))
	p.send(coupon("c1", "u", 99, "e2"))
	p.send(coupon("c1", "v", 10, "e1")) // another user's: another coupon
	if b, f := p.bettor("u"), p.fixture("e1"); b.LegCount != 1 || f.LegCount != 2 || p.fixture("e2").LegCount != 0 {
		t.Errorf("bettor's legs = %d, fixtures' = %d and %d", b.LegCount, f.LegCount, p.fixture("e2").LegCount)
	}
	p.wantRejected("coupon_id: is taken")
}

func TestVersionsFollowTheTopic(t *testing.T) {
	p := newPipeline(t)
	p.send(event("e", "First"))
	p.send(event("e", "Second"))
	p.send(topics.PatchRecord("default", tipoff.EventPatch{ID: "e", Status: tipoff.StatusFinished, Result: "2:0"}, noon))
	if e := p.fixture("e").Event; e.League != "Second" || e.Status != tipoff.StatusFinished || e.Result != "2:0" {
		t.Errorf("event = %+v", e)
	}
}

func TestWhatCannotBeUsedIsRejectedAndProcessingGoesOn(t *testing.T) {
	p := newPipeline(t)
	raw := func(topic, key, value string) {
		p.send(topics.Record{Topic: topic, Key: key, Value: []byte(value), Received: noon})
	}
	raw(topics.Users, "default/u", `not json`)
	raw(topics.Users, "no slash", string(user("u").Value))
	raw(topics.Users, "default/other", string(user("u").Value))
	raw(topics.Coupons, "default/u", `{"coupon_id":"c"}`)
	raw(topics.Coupons, "default/other", string(coupon("c", "u", 1, "e").Value))
	raw(topics.Coupons, "default/u", strings.Replace(string(coupon("c", "u", 1, "e").Value), "2026-05-17", "2027-05-17", 1))
	raw(topics.Events, "default/e", "\xff\x00")
	raw(topics.Events, "default/e", `{"patch":true}`)
	raw(topics.Events, "default/other", string(event("e", "l").Value))
	raw(topics.Selections, "default/e", "garbage")
	raw(topics.Resolved, "default/u", "")
	raw(topics.LoopFixtures, "default/e", "garbage")
	raw(topics.Events, "default/e", strings.Repeat("x", 900<<10))
	raw(topics.Users, "default/"+strings.Repeat("\x01", 300<<10), string(user("u").Value)) // six bytes each in JSON
	p.wantRejected("not valid JSON", "company/id", "must be the key's", "is required", "must be the key's", "one day ahead",
		"not valid JSON", "at least one", "must be the key's", "not a leg", "not a message to a bettor", "not a message to a fixture", "not valid JSON", "must be the key's")
	p.send(event("e", "Liga"))
	p.send(coupon("c", "u", 1, "e"))
	if b := p.bettor("u"); b.LegCount != 1 {
		t.Errorf("after all that a good coupon counts %d legs", b.LegCount)
	}
}

// copied is a copy of a fact on a table set's own topic.
func (p *pipeline) copied(set topics.TableSet, r topics.Record, origin topics.Origin) {
	p.tester.Consume(set.Facts(r.Topic), r.Key, r.Value, tester.WithTime(noon.AddDate(1, 0, 0)), tester.WithHeaders(goka.Headers{
		topics.HeaderReceived: topics.FormatReceived(r.Received), topics.HeaderOrigin: []byte(origin.String()),
	}))
}

func TestCopiesCountOnceAndKeepTheirTimes(t *testing.T) {
	set := topics.TableSet{Number: 2, Copied: true}
	p := newPipelineOf(t, set)
	origin := func(offset int64) topics.Origin {
		return topics.Origin{TopicID: "t", Partition: 3, Offset: offset, Appended: noon.Add(time.Second)}
	}
	twice := func(r topics.Record, offset int64) {
		p.copied(set, r, origin(offset))
		p.copied(set, r, origin(offset))
	}
	twice(user("u"), 1)
	twice(event("e", "First"), 1)
	p.copied(set, event("e", "Second"), origin(2))
	p.copied(set, event("e", "First"), origin(1)) // a copier of before, late
	twice(coupon("c1", "u", 10, "e"), 1)
	twice(coupon("c2", "u", 10, "e"), 2)
	ahead := strings.Replace(string(coupon("c3", "u", 1, "e").Value), "2026-05-17", "2026-05-19", 1)
	p.copied(set, topics.Record{Topic: topics.Coupons, Key: "default/u", Value: []byte(ahead), Received: noon}, origin(3))
	key := topics.Key("default", "u")
	b, err := state.UnmarshalBettor(p.tester.TableValue(goka.Table(set.TableBettors()), key).([]byte))
	if err != nil || !b.Known || b.LegCount != 2 || len(b.Bets) != 2 || b.Bets[0].At != noon.Unix() {
		t.Errorf("%+v, %v", b, err)
	}
	f, err := state.UnmarshalFixture(p.tester.TableValue(goka.Table(set.TableFixtures()), topics.Key("default", "e")).([]byte))
	if err != nil || f.LegCount != 2 || f.Event.League != "Second" {
		t.Errorf("%+v, %v", f, err)
	}
	// A rejection names the fact, not the copy, by the name that every table set has.
	_, value, ok := p.rejected.Next()
	var r topics.Rejection
	if !ok || json.Unmarshal(value.([]byte), &r) != nil || !strings.Contains(r.Reason, "one day ahead") ||
		r.ID() != "tipoff-bettors/coupon_topic/3/3" {
		t.Errorf("rejected %+v", r)
	}
}

// TestAWrongClockHarmsNobodyElse: a bet a year ahead is refused, one of the year one is
// welcome, and neither moves what others' bets have taught.
func TestAWrongClockHarmsNobodyElse(t *testing.T) {
	p := newPipeline(t)
	at := func(id, user string, made time.Time) topics.Record {
		return topics.CouponRecord("default", tipoff.Coupon{ID: id, UserID: user, Stake: 1, Timestamp: made,
			Selections: []tipoff.Selection{{EventID: "e", Odds: 2}}}, noon)
	}
	p.send(event("e", "Liga"))
	yearOne := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	p.send(at("c1", "first", yearOne)) // the event's first bet of all
	p.send(at("c2", "good", noon))
	p.send(at("c3", "ahead", noon.AddDate(1, 0, 0)))
	p.send(at("c4", "hours", noon.Add(20*time.Hour))) // within the bound: counts as made when received
	p.send(at("c5", "second", yearOne))
	p.wantRejected("one day ahead")
	if f := p.fixture("e"); f.LegCount != 4 || f.Popularity.At != noon.Unix() || f.Popularity.Sum != 2 {
		t.Errorf("the fixture has %d legs and popularity %+v", f.LegCount, f.Popularity)
	}
	for user, made := range map[string]time.Time{"first": yearOne, "good": noon, "hours": noon} {
		if b := p.bettor(user); b.At != made.Unix() || b.Weight != 1 || b.Leagues[0].Weight != 1 {
			t.Errorf("%s: %+v", user, b)
		}
	}
}
