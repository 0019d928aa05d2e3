package processors_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

// TestTables_SayWhatTheTopicsHoldWhateverHappens draws sequences of facts and of
// faults, lets the processors settle, and compares the tables with what the oracle
// makes of the facts. TIPOFF_MODEL_CHECKS sets how many sequences (20 steps each on
// average); what fails is shrunk.
func TestTables_SayWhatTheTopicsHoldWhateverHappens(t *testing.T) {
	t.Parallel() // with the tests that only wait; rapid's flag is set by this one alone
	checks := os.Getenv("TIPOFF_MODEL_CHECKS")
	if checks == "" {
		checks = "4"
	}
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set(checks); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Value.Set(f.DefValue) }()
	}
	w := newWorld(t)
	facts, faults, sequences := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		w.TB = rt
		defer func() { w.TB = t }()
		sequences++
		w.heal()
		m := &model{world: w, t: rt, company: fmt.Sprint("c", sequences), posted: map[string]tipoff.Event{}}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			if rapid.IntRange(0, 9).Draw(rt, "kind") < 7 {
				facts++
				m.fact()
			} else {
				faults++
				m.fault()
			}
		}
		w.heal()
		w.settle()
		w.wantFacts(m.company)
	})
	t.Logf("%d sequences: %d facts, %d faults", sequences, facts, faults)
}

// heal ends all faults and wants a process at work.
func (w *world) heal() {
	if w.faults != nil {
		w.faults.Remove()
		w.faults = nil
	}
	for _, p := range w.live {
		p.way.open()
	}
	if len(w.live) == 0 {
		w.start()
	}
}

// model draws what happens to one company.
type model struct {
	*world
	t       *rapid.T
	company string
	last    []topics.Record // facts of users and events, the latest last
	posted  map[string]tipoff.Event
}

func (m *model) draw(label string, n int) int { return rapid.IntRange(0, n-1).Draw(m.t, label) }

var modelBase = time.Now().UTC().Truncate(time.Second)

// fact publishes a fact: entities are few, so that they repeat, contradict each other
// and come in any order, of any version or none.
func (m *model) fact() {
	switch m.draw("fact", 9) {
	case 0:
		m.post(topics.UserRecord(m.company, tipoff.User{
			ID: fmt.Sprint("u", m.draw("user", 3)), BirthYear: 1980 + m.draw("year", 3), Country: "FR",
			Currency: "EUR", Gender: "f", RegistrationDate: modelBase, Version: m.version(),
		}, time.Now()))
	case 1, 2:
		e := m.event()
		m.posted[e.ID] = e
		m.post(topics.EventRecord(m.company, e, time.Now()))
	case 3:
		m.post(topics.PatchRecord(m.company, tipoff.EventPatch{
			ID: fmt.Sprint("e", m.draw("event", 5)), Status: tipoff.StatusSuspended, Result: fmt.Sprint("patch ", m.draw("patch", 3)), Version: m.version(),
		}, time.Now()))
	case 4: // one of the last facts, of what may have changed since
		if n := len(m.last); n > 0 {
			m.post(m.last[n-1-m.draw("again", min(n, 4))])
		}
	default:
		c := m.coupon()
		r := topics.CouponRecord(m.company, c, time.Now())
		if m.draw("told", 2) == 0 {
			r.Events = m.known(&c)
		}
		m.publish(r)
	}
}

// known is what a gateway knows of a coupon's events, which is less than was posted.
func (m *model) known(c *tipoff.Coupon) string {
	known := make([]state.Traits, len(c.Selections))
	for i, s := range c.Selections {
		if e, posted := m.posted[s.EventID]; posted {
			known[i] = state.TraitsOf(&e)
		}
	}
	return string(state.MarshalKnown(known))
}

func (m *model) post(r topics.Record) {
	m.last = append(m.last, r)
	m.publish(r)
}

// version is none as often as all others.
func (m *model) version() (v tipoff.Version) {
	if n := m.draw("version", 6); n > 2 {
		v = tipoff.VersionOf(int64(n))
	}
	return v
}

// event is one of five events, which names a status or a result or none.
func (m *model) event() tipoff.Event {
	id := m.draw("event", 5)
	e := tipoff.Event{
		ID: fmt.Sprint("e", id), Begin: modelBase.Add(time.Hour), End: modelBase.Add(2 * time.Hour), Country: "FR",
		League: fmt.Sprint("L", id%3), Sport: fmt.Sprint("S", id%2), Participants: []string{fmt.Sprint("T", id), "T"}, Version: m.version(),
	}
	if m.draw("status", 2) == 0 {
		e.Status = tipoff.StatusOpen
	}
	if n := m.draw("result", 4); n > 0 {
		e.Result = fmt.Sprint("post ", n)
	}
	return e
}

// coupon is one of ten coupons of one of three users, mostly the same under its
// id, and rarely another.
func (m *model) coupon() tipoff.Coupon {
	user, number := m.draw("user", 3), m.draw("coupon", 10)
	stake := 5.0
	if m.draw("content", 8) == 0 {
		stake = 6
	}
	c := tipoff.Coupon{
		ID: fmt.Sprint("k", number), UserID: fmt.Sprint("u", user), Stake: stake,
		Timestamp: modelBase.Add(-time.Duration(number*7%10) * 11 * time.Hour),
	}
	for i := range 1 + number%3 {
		c.Selections = append(c.Selections, tipoff.Selection{
			EventID: fmt.Sprint("e", (number+user+2*i)%5), Odds: 1.1 + float64(number)/2, Market: "m", Outcome: fmt.Sprint(number % 2),
		})
	}
	return c
}

// faultTopics are where the processors write.
var faultTopics = []string{
	topics.TableBettors, topics.TableFixtures, topics.Selections, topics.Resolved, topics.LoopFixtures, topics.Rejected,
}

// faultErrors are answered to a produce: final ones, ones to try again, and one that
// is answered although the records were taken.
var faultErrors = []*kerr.Error{kerr.UnknownServerError, kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.KafkaStorageError}

func (m *model) fault() {
	anyone := func() *process { return m.live[m.draw("process", len(m.live))] }
	switch m.draw("fault", 8) {
	case 0, 1, 2:
		if m.faults != nil {
			m.faults.Remove()
		}
		m.faults = m.kafka.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Topic: faultTopics[m.draw("topic", len(faultTopics))],
			Err: faultErrors[m.draw("error", len(faultErrors))], Count: 1 + m.draw("count", 4),
		})
	case 3:
		m.kill(anyone())
		m.start()
	case 4: // too long a pause: others take over, and what it has in hand comes late
		anyone().way.pause()
		m.kick()
		if len(m.live) < 2 {
			m.start()
		}
	case 5:
		for _, p := range m.live {
			p.way.open()
		}
	case 6:
		if len(m.live) < 2 {
			m.start()
		} else {
			m.stop(anyone())
		}
	case 7:
		m.kafka.ShufflePartitionLeaders()
		m.kafka.RehashCoordinators()
	}
}
