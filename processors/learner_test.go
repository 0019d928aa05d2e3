package processors

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lovoo/goka"
	"github.com/lovoo/goka/tester"

	"tipoff"
	"tipoff/rank"
	"tipoff/state"
	"tipoff/topics"
)

// school is a trainer that keeps the choices it was given.
type school struct {
	choices []*state.Choice
}

func (s *school) Learn(_ string, c *state.Choice, m *rank.Model) rank.Grade {
	s.choices = append(s.choices, c)
	m.Steps++
	return rank.Grade{Targets: 1, HR: 1, NDCG: 0.5}
}

// owner is the sole owner, whose epoch a test may raise.
type owner struct {
	soleOwner
	epoch uint64
}

func (o *owner) Epoch(int32) uint64 { return o.epoch }

type classroom struct {
	*testing.T
	school  school
	learner *Learner
	owner   owner
	tester  *tester.Tester
	reject  *tester.QueueTracker
}

func newClassroom(t *testing.T) *classroom { return newClassroomAfter(t, nil) }

func newClassroomAfter(t *testing.T, former map[string][]byte) *classroom {
	c := &classroom{T: t, tester: tester.New(t), owner: owner{epoch: 3}}
	c.learner = NewLearner(&c.school, former)
	processor, err := goka.NewProcessor(nil, c.learner.Graph(&c.owner, topics.TableSet{}), goka.WithTester(c.tester))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- processor.Run(ctx) }()
	c.reject = c.tester.NewQueueTracker(topics.Rejected)
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *classroom) send(value []byte) { c.sendAt(time.Now(), "default/model", value) }

// sendAt sends a record that has stood on the topic since a time.
func (c *classroom) sendAt(since time.Time, key string, value []byte) {
	c.tester.Consume(topics.Choices, key, value, tester.WithTime(since))
}

func (c *classroom) choose(partition int32, offset int64) { c.send(choice(partition, offset)) }

func choice(partition int32, offset int64) []byte {
	return state.MarshalMessage(state.NewChoice([]state.Leg{
		{Cause: state.Cause{Partition: partition, Position: state.Position{Source: 1, Offset: offset}}, UserID: "u", EventID: "e", At: noon.Unix()},
	}))
}

// stored is what the table says; nil: nothing.
func (c *classroom) stored() *rank.Learnt {
	c.Helper()
	value, ok := c.tester.TableValue(topics.TableLearner, "default/model").([]byte)
	if !ok {
		return nil
	}
	learnt, err := rank.UnmarshalLearnt(value)
	if err != nil {
		c.Fatal(err)
	}
	return learnt
}

func TestLearner_LearnsOnceFromEachCoupon(t *testing.T) {
	c := newClassroom(t)
	for _, offset := range []int64{1, 2, 2, 1, 3} {
		c.choose(0, offset)
	}
	c.choose(1, 1)
	if len(c.school.choices) != 4 {
		t.Errorf("learnt from %d coupons, want 4", len(c.school.choices))
	}
	if s := c.stored(); s == nil || s.Model.Steps != 1 || s.Epoch != 3 {
		t.Errorf("the table holds %+v, want the first step, as others follow within seconds", s)
	}
	asked := 0
	ask := func(key string) error {
		asked++
		r := RewriteModel(topics.TableSet{}, key)
		c.sendAt(time.Now(), r.Key, r.Value)
		return nil
	}
	c.learner.Unsaved(time.Now(), ask)
	c.learner.Unsaved(time.Now().Add(2*saveEvery), func(string) error { return errors.New("away") })
	c.learner.Unsaved(time.Now().Add(2*saveEvery), ask)
	c.learner.Unsaved(time.Now().Add(4*saveEvery), ask)
	if s := c.stored(); asked != 1 || s.Model.Steps != 4 || s.Live.Over(time.Hour).Coupons != 4 {
		t.Errorf("asked %d times to save, the table holds %+v", asked, s)
	}
}

func TestLearner_GoesOnFromTheTableAfterAnotherOwner(t *testing.T) {
	c := newClassroom(t)
	c.choose(0, 1)
	c.choose(0, 2)
	c.owner.epoch = 4 // a rebalance, and nobody else wrote
	c.choose(0, 2)    // was not saved, so it is delivered again
	c.choose(0, 3)
	c.send(state.MarshalMessage(&state.Rewrite{}))
	if s := c.stored(); s.Model.Steps != 3 || s.Epoch != 4 {
		t.Errorf("after a rebalance the table holds %d steps of epoch %d, want 3 of 4", s.Model.Steps, s.Epoch)
	}
	other := rank.NewLearnt()
	other.Epoch, other.Model.Steps = 5, 100
	c.tester.SetTableValue(topics.TableLearner, "default/model", other.Marshal())
	c.owner.epoch = 6
	c.choose(0, 4)
	c.send(state.MarshalMessage(&state.Rewrite{}))
	if s := c.stored(); s.Model.Steps != 101 || s.Epoch != 6 {
		t.Errorf("after another owner the table holds %d steps of epoch %d, want 101 of 6", s.Model.Steps, s.Epoch)
	}
}

func TestLearner_ARebuildKeepsTheModel(t *testing.T) {
	former := rank.NewLearnt()
	former.Model.Steps = 100
	former.Advance(state.Cause{Position: state.Position{Source: 1, Offset: 50}})
	c := newClassroomAfter(t, map[string][]byte{"default/model": former.Marshal()})
	c.choose(0, 1) // positions on the new table set's topics are others
	if s := c.stored(); s.Model.Steps != 101 {
		t.Errorf("the table holds %d steps, want 101", s.Model.Steps)
	}
}

func TestLearner_RejectsWhatItCannotUse(t *testing.T) {
	c := newClassroom(t)
	for _, value := range [][]byte{{}, []byte("x"), state.MarshalMessage(&state.Choice{UserID: "u"}), state.MarshalMessage(&state.Resolved{})} {
		c.send(value)
		if _, _, ok := c.reject.Next(); !ok {
			t.Errorf("%x was not rejected", value)
		}
	}
	c.sendAt(time.Now(), "default/another", choice(0, 1))
	if _, _, ok := c.reject.Next(); !ok {
		t.Error("a second model of a company was not rejected")
	}
	if len(c.school.choices) != 0 {
		t.Errorf("learnt from %d coupons", len(c.school.choices))
	}
}

// TestLearner_PassesOverWhatIsLate: the tables have moved on since. What a former
// owner may have learnt from and not saved is never late.
func TestLearner_PassesOverWhatIsLate(t *testing.T) {
	c := newClassroom(t)
	hourAgo := time.Now().Add(-time.Hour)
	want := func(learnt int, passed uint64) {
		t.Helper()
		if len(c.school.choices) != learnt || c.learner.Passed() != passed {
			t.Errorf("learnt from %d coupons, %d passed over; want %d and %d", len(c.school.choices), c.learner.Passed(), learnt, passed)
		}
	}
	send := func(at time.Time, offset int64) { c.sendAt(at, "default/model", choice(0, offset)) }
	send(hourAgo, 1)
	send(hourAgo.Add(learnAgain), 2)
	want(2, 0)
	send(hourAgo.Add(learnAgain+time.Second), 3)
	want(2, 1)
	c.choose(0, 4)
	want(3, 1)
	c.send(state.MarshalMessage(&state.Rewrite{}))
	c.owner.epoch = 4
	send(hourAgo, 1) // was saved: the span begins with what is new
	send(hourAgo.Add(2*learnAgain), 5)
	send(hourAgo.Add(3*learnAgain), 6)
	send(hourAgo.Add(4*learnAgain), 7)
	want(5, 2)
}

func TestLearner_PassesOverWhatIsTooMuch(t *testing.T) {
	c := newClassroom(t)
	second, sent := time.Now().Truncate(time.Second), int64(0)
	send := func(at time.Time, n, want int64) {
		t.Helper()
		learnt := len(c.school.choices)
		for range n {
			c.sendAt(at, "default/model", choice(0, sent))
			sent++
		}
		if got := int64(len(c.school.choices) - learnt); got != want {
			t.Errorf("of %d coupons %d are learnt from, want %d", n, got, want)
		}
	}
	send(second, learnOnce+50, learnOnce)
	send(second.Add(time.Second), 2*learnMost, learnMost)
	send(second.Add(3*time.Second), 3*learnMost, 2*learnMost)
	send(second.Add(time.Hour), 2*learnOnce, learnOnce)
	if n := c.learner.Passed(); n != 50+2*learnMost+learnOnce {
		t.Errorf("%d are counted as passed over", n)
	}
}

// TestLearner_PassesOverWhomItDoesNotHold: to learn from a bettor whose state is elsewhere
// would teach that all are new.
func TestLearner_PassesOverWhomItDoesNotHold(t *testing.T) {
	c := newClassroom(t)
	held := false
	c.learner.Holds = func(company, user string) bool {
		if company != "default" || user != "u" {
			t.Errorf("asked for %s/%s", company, user)
		}
		return held
	}
	c.choose(0, 1)
	held = true
	c.choose(0, 2)
	if len(c.school.choices) != 1 || c.learner.Passed() != 1 {
		t.Errorf("learnt from %d coupons, %d passed over; want one each", len(c.school.choices), c.learner.Passed())
	}
}

func TestACouponIsAChoiceOnce(t *testing.T) {
	p := newPipeline(t)
	choices := p.tester.NewQueueTracker(topics.Choices)
	next := func() *state.Choice {
		t.Helper()
		key, value, ok := choices.Next()
		if !ok {
			return nil
		}
		message, err := state.UnmarshalMessage(value.([]byte))
		c, is := message.(*state.Choice)
		if err != nil || !is || key != "default/model" {
			t.Fatalf("%q: %v, %v", key, message, err)
		}
		return c
	}
	p.send(event("e", "l"))
	p.send(coupon("c1", "u", 1, "e"))
	if c := next(); c == nil || c.UserID != "u" || !slices.Equal(c.Events, []uint64{tipoff.EventRef("e")}) {
		t.Errorf("the first coupon is the choice %+v", c)
	}
	p.send(coupon("c1", "u", 1, "e"))
	if c := next(); c != nil {
		t.Errorf("a repeat is the choice %+v", c)
	}
	p.send(coupon("c2", "u", 1, "e", "f"))
	c := next()
	if c == nil || len(c.Events) != 2 {
		t.Fatalf("the second coupon is the choice %+v", c)
	}
	traits := func(uint64) state.Traits { return p.fixture("e").Traits() }
	if before := p.bettor("u").Before(c, traits); before.LegCount != 1 || len(before.Bets) != 1 {
		t.Errorf("before the second coupon the bettor is %+v", before)
	}
}
