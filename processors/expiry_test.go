package processors

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/lovoo/goka/tester"

	"tipoff/state"
	"tipoff/topics"
)

// finisher is an owner who knows that every record is finished, once it is set.
type finisher struct {
	soleOwner
	finished *bool
}

func (f finisher) Finished(topic string, _ int32) int64 {
	if *f.finished && topic == topics.LoopFixtures {
		return 1 << 30
	}
	return 0
}

// leg sends a leg of an event, on its own, as of a day.
func (p *pipeline) leg(coupon int64, event string, day int, options ...tester.EmitOption) {
	l := &state.Leg{Cause: state.Cause{Position: state.Position{Source: 7, Offset: coupon}}, UserID: "u", EventID: event, Coupon: uint64(coupon) << 16, At: noon.Unix(), Odds: 2}
	p.tester.Consume(topics.Selections, topics.Key("default", event), state.MarshalMessage(l), append(options, tester.WithTime(noon.AddDate(0, 0, day)))...)
}

func (p *pipeline) expire(event string, day int) {
	p.tester.Consume(topics.LoopFixtures, topics.Key("default", event), state.MarshalMessage(&state.Expire{Wait: 7 * 24 * 3600}), tester.WithTime(noon.AddDate(0, 0, day)))
}

// rejections lists the names of what was rejected since the last call.
func (p *pipeline) rejections() (ids []string) {
	p.Helper()
	for {
		key, value, ok := p.rejected.Next()
		if !ok {
			return ids
		}
		var r topics.Rejection
		if err := json.Unmarshal(value.([]byte), &r); err != nil {
			p.Fatal(err)
		}
		if !strings.Contains(r.Reason, "was not posted in time") || r.Topic != topics.Selections || r.ID() != key {
			p.Errorf("rejected under %s: %+v", key, r)
		}
		ids = append(ids, key)
	}
}

func (p *pipeline) tableHas(key string) bool {
	return p.tester.TableValue(topics.TableFixtures, key) != nil
}

func TestALegWhoseEventNeverComesIsADeadLetterOnce(t *testing.T) {
	finished := false
	p := newPipelineBy(t, finisher{finished: &finished}, topics.TableSet{})
	key := topics.Key("default", "never")
	for i := range int64(state.WaitersPerChunk + 1) {
		p.leg(i, "never", 0)
	}
	p.expire("never", 6)
	if got := p.rejections(); len(got) != 0 {
		t.Fatalf("rejected before their time: %v", got)
	}
	p.expire("never", 7)
	first := p.rejections()
	if len(first) != state.WaitersPerChunk+1 {
		t.Fatalf("%d legs are dead letters", len(first))
	}
	if f := p.fixture("never"); f.LegCount != 0 || f.Gone != 2 {
		t.Errorf("fixture %+v", f)
	}
	p.expire("never", 7) // delivered again
	p.leg(0, "never", 7) // likewise
	known := map[string]bool{}
	for _, id := range first {
		known[id] = true
	}
	for _, id := range p.rejections() {
		if !known[id] && !strings.HasSuffix(id, fmt.Sprint("/", state.WaitersPerChunk+1)) { // the leg's second place on its topic
			t.Errorf("%s is rejected too", id)
		}
	}
	if f := p.fixture("never"); f.LegCount != 0 {
		t.Errorf("a leg counts again: %+v", f)
	}
	p.expire("never", 8)
	if !p.tableHas(topics.PartKey(key, "0")) {
		t.Error("legs are gone before their rejections were acknowledged")
	}
	finished = true
	p.expire("never", 8)
	if p.tableHas(topics.PartKey(key, "0")) || p.tableHas(topics.PartKey(key, "1")) || !p.tableHas(key) {
		t.Error("the chunks are to go, the fixture to stay")
	}
	p.expire("never", 9)
	p.expire("never", 9)
	if p.tableHas(key) {
		t.Error("the fixture is still there")
	}
}

func TestAnEventThatComesAfterItsLegsExpiredHasTheLaterOnes(t *testing.T) {
	p := newPipeline(t)
	p.leg(1, "late", 0)
	p.expire("late", 7)
	p.leg(2, "late", 8)
	p.rejections()
	p.resolved.Seek(p.resolved.Hwm())
	p.send(event("late", "Liga"))
	_, value, ok := p.resolved.Next()
	if got, _ := state.UnmarshalMessage(value.([]byte)); !ok || got.(*state.Resolved).Coupon != 2<<16 {
		t.Errorf("resolved %+v", got)
	}
	if _, value, ok := p.resolved.Next(); ok {
		t.Errorf("a dead letter is resolved too: %v", value)
	}
	if f := p.fixture("late"); !f.Known || f.LegCount != 1 {
		t.Errorf("fixture %+v", f)
	}
}

// TestAChunkThatHasExpiredReleasesNothing: its fixture may have lost that it expired, with
// the process that was to write it.
func TestAChunkThatHasExpiredReleasesNothing(t *testing.T) {
	p := newPipeline(t)
	p.leg(1, "late", 0)
	p.tester.Consume(topics.LoopFixtures, topics.PartKey(topics.Key("default", "late"), "0"), state.MarshalMessage(&state.Expired{}))
	if got := p.rejections(); len(got) != 1 {
		t.Errorf("rejected: %v", got)
	}
	p.resolved.Seek(p.resolved.Hwm())
	p.send(event("late", "Liga"))
	if _, value, ok := p.resolved.Next(); ok {
		t.Errorf("a dead letter is resolved too: %v", value)
	}
}

// TestALegWhoseEventTheGatewayAloneKnowsWaitsLikeOthers, also where an older program sends
// it once more and does not say that the gateway knew.
func TestALegWhoseEventTheGatewayAloneKnowsWaitsLikeOthers(t *testing.T) {
	p := newPipeline(t)
	knew := tester.WithHeaders(maps.Collect(topics.Headers{Received: noon, Told: true}.All()))
	p.leg(1, "never", 0, knew)
	p.leg(1, "never", 0)
	p.leg(1, "never", 0, knew)
	if f := p.fixture("never"); f.LegCount != 1 || f.Waiters != 1 {
		t.Fatalf("fixture %+v", f)
	}
	p.expire("never", 7)
	if got := p.rejections(); len(got) != 1 {
		t.Errorf("dead letters: %v", got)
	}
}
