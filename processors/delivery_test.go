package processors_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"pgregory.net/rapid"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

// day is what a company of a few users and events does, each entity's facts in their
// order.
func day(company string, now time.Time) (entities [][]topics.Record) {
	for u := range 4 {
		user := fmt.Sprint("u", u)
		entities = append(entities, []topics.Record{
			topics.UserRecord(company, tipoff.User{ID: user, BirthYear: 1990, Country: "FR", Currency: "EUR", Gender: "f", RegistrationDate: modelBase}, now),
			topics.UserRecord(company, tipoff.User{ID: user, BirthYear: 1991, Country: "IT", Currency: "EUR", Gender: "f", RegistrationDate: modelBase}, now),
		})
		var coupons []topics.Record
		for k := range 8 {
			c := tipoff.Coupon{ID: fmt.Sprint("k", k%7), UserID: user, Stake: float64(1 + k/7), Timestamp: modelBase.Add(-time.Duration(k*3%7) * time.Hour)}
			for i := range 1 + k%3 {
				c.Selections = append(c.Selections, tipoff.Selection{EventID: fmt.Sprint("e", (k+u+2*i)%6), Odds: 1.5 + float64(k), Market: "m", Outcome: fmt.Sprint(k % 2)})
			}
			coupons = append(coupons, topics.CouponRecord(company, c, now))
		}
		entities = append(entities, coupons)
	}
	for e := range 5 { // the sixth is never posted
		event := tipoff.Event{
			ID: fmt.Sprint("e", e), Begin: modelBase.Add(time.Hour), End: modelBase.Add(2 * time.Hour), Country: "FR",
			League: fmt.Sprint("L", e%3), Sport: fmt.Sprint("S", e%2), Participants: []string{fmt.Sprint("T", e), "T"}, Status: tipoff.StatusOpen,
		}
		entities = append(entities, []topics.Record{
			topics.PatchRecord(company, tipoff.EventPatch{ID: event.ID, Status: tipoff.StatusSuspended}, now),
			topics.EventRecord(company, event, now),
			topics.PatchRecord(company, tipoff.EventPatch{ID: event.ID, Result: "1:0"}, now),
		})
	}
	return entities
}

func (w *world) publishAll(entities [][]topics.Record) {
	for _, facts := range entities {
		for _, fact := range facts {
			w.publish(fact)
		}
	}
}

func TestTables_DoNotDependOnTheOrderInWhichEntitiesArrive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	now := time.Now()
	w.publishAll(day("one", now))
	w.settle()
	want := w.tables("one")
	w.wantFacts("one")
	companies := 0
	for range 3 { // rapid.Check would repeat it a hundred times
		companies++
		company := fmt.Sprint("c", companies)
		left := day(company, now)
		var order []int
		for i, facts := range left {
			for range facts {
				order = append(order, i)
			}
		}
		for _, i := range rapid.Permutation(order).Example(companies) {
			w.publish(left[i][0])
			left[i] = left[i][1:]
		}
		w.settle()
		w.wantFacts(company)
		w.wantSame(w.tables(company), company, want, "one")
	}
}

// forgetOffsets makes a group begin again, as one does whose offsets have expired.
func (w *world) forgetOffsets() {
	w.Helper()
	admin, err := sarama.NewClusterAdminFromClient(w.client)
	if err != nil {
		w.Fatal(err)
	}
	for group := range inputs {
		w.eventually(10*time.Second, func() error { return admin.DeleteConsumerGroup(group) })
	}
}

func TestTables_AReplayFromTheOldestOffsetChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start()
	w.publishAll(day("a", time.Now()))
	w.settle()
	before := w.tables("a")
	for range 2 {
		w.stop(p)
		w.forgetOffsets()
		p = w.start()
		w.settle()
		w.wantFacts("a")
		w.wantSame(w.tables("a"), "a", before, "a")
	}
	w.publishAll(day("b", time.Now())) // and it goes on
	w.settle()
	w.wantFacts("b")
	w.wantSame(w.tables("b"), "b", before, "a")
}

func TestTables_ATopicMadeAnewIsReadFromItsBeginning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start()
	coupon := func(id, user string) topics.Record {
		return topics.CouponRecord("a", tipoff.Coupon{ID: id, UserID: user, Stake: 1, Timestamp: modelBase,
			Selections: []tipoff.Selection{{EventID: "e", Odds: 2}}}, time.Now())
	}
	for i := range 10 {
		w.publish(coupon(fmt.Sprint("former", i), "u"))
	}
	w.settle()
	w.stop(p)
	if err := w.kafka.DeleteTopic(topics.Coupons); err != nil {
		t.Fatal(err)
	}
	p = w.start()
	for i := range 10 {
		w.publish(coupon(fmt.Sprint("later", i), "u"))
		w.publish(coupon(fmt.Sprint("former", i), "u")) // a repeat, on another topic
	}
	w.settle()
	w.stop(p)
	w.forgetOffsets() // legs of both topics come again
	w.start()
	w.settle()
	f, err := state.UnmarshalFixture(w.tables("a").Fixtures["a/e"])
	if err != nil {
		t.Fatal(err)
	}
	if f.LegCount != 20 {
		t.Errorf("%d legs count, want 20", f.LegCount)
	}
}

// TestTables_AFormerOwnersLateWriteIsWrittenOver: an owner that has lost its partition
// writes a value after the new owner's, and no record of that key ever comes again.
func TestTables_AFormerOwnersLateWriteIsWrittenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start()
	w.publishAll(day("a", time.Now()))
	w.settle()
	w.stop(p)
	p = w.start() // an owner of a later epoch
	w.publish(topics.UserRecord("a", tipoff.User{ID: "u1", BirthYear: 1999, Country: "DE", Currency: "EUR", Gender: "f", RegistrationDate: modelBase}, time.Now()))
	w.publish(topics.PatchRecord("a", tipoff.EventPatch{ID: "e1", Status: tipoff.StatusFinished}, time.Now()))
	w.settle()
	before := w.tables("a")
	b, f := &state.Bettor{Epoch: 1}, &state.Fixture{Epoch: 1}
	w.publish(topics.Record{Topic: topics.TableBettors, Key: "a/u1", Value: b.Marshal(), Received: time.Now()})
	w.publish(topics.Record{Topic: topics.TableFixtures, Key: "a/e1", Value: f.Marshal(), Received: time.Now()})
	w.stop(p)
	w.start() // finds them in the changelog
	for topic, key := range map[string]string{topics.TableBettors: "a/u1", topics.TableFixtures: "a/e1"} {
		w.eventually(20*time.Second, func() error {
			last := ""
			for _, r := range w.read(topic) {
				if r.key == key {
					last = r.value
				}
			}
			if epoch := state.Epoch([]byte(last)); epoch <= 1 {
				return fmt.Errorf("the newest value of %s is of epoch %d", key, epoch)
			}
			return nil
		})
	}
	w.settle()
	w.wantFacts("a")
	w.wantSame(w.tables("a"), "a", before, "a")
}
