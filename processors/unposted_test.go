package processors

import (
	"testing"

	"tipoff"
	"tipoff/topics"
)

// crowded is an owner whose partition holds as many fixtures that nobody posted as it may.
type crowded struct {
	soleOwner
	company string
}

func (c crowded) Held(_ int32, company string) int {
	if company == c.company {
		return MaxUnposted
	}
	return 0
}

func TestTooManyEventsThatNobodyPostedAreDeadLetters(t *testing.T) {
	p := newPipelineBy(t, crowded{company: "default"}, topics.TableSet{})
	p.send(event("posted", "Liga"))
	p.send(topics.PatchRecord("default", tipoff.EventPatch{ID: "changed", Status: tipoff.StatusSuspended}, noon))
	p.send(coupon("c", "u", 10, "posted", "new", "changed"))
	p.wantRejected("too many such events")
	if p.tableHas(topics.Key("default", "new")) {
		t.Error("a leg that was refused takes room")
	}
	if p.fixture("posted").LegCount != 1 || p.fixture("changed").LegCount != 1 {
		t.Error("a leg of an event that is in the table is refused")
	}
	if b := p.bettor("u"); b.LegCount != 1 {
		t.Errorf("bettor = %+v", b)
	}
}

func TestAnotherCompanysEventsTakeNoRoom(t *testing.T) {
	p := newPipelineBy(t, crowded{company: "another"}, topics.TableSet{})
	p.send(coupon("c", "u", 10, "new"))
	p.wantRejected()
	if p.fixture("new").LegCount != 1 {
		t.Error("the leg does not count")
	}
}

func TestUnpostedOf_CountsFixturesThatWaitForTheirEvent(t *testing.T) {
	p := newPipeline(t)
	p.leg(1, "waits", 0)
	p.leg(1, "posted", 0)
	p.send(event("posted", "Liga"))
	p.send(topics.PatchRecord("default", tipoff.EventPatch{ID: "changed", Status: tipoff.StatusSuspended}, noon))
	for key, want := range map[string]string{
		"waits": "default", "posted": "", "changed": "", topics.PartKey("waits", "0"): "",
	} {
		value, ok := p.tester.TableValue(topics.TableFixtures, topics.Key("default", key)).([]byte)
		if got := unpostedOf(topics.Key("default", key), value); !ok || got != want {
			t.Errorf("%q: counted as %q, want %q; in the table: %v", key, got, want, ok)
		}
	}
}
