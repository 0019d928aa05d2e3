package views

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tipoff"
	"tipoff/rank"
	"tipoff/state"
	"tipoff/topics"
)

// book is a company as the processors would keep it.
type book struct {
	t        *testing.T
	bettors  map[string]*state.Bettor
	fixtures map[string]*state.Fixture
	offset   int64
}

func newBook(t *testing.T) *book {
	b := &book{t: t, bettors: map[string]*state.Bettor{}, fixtures: map[string]*state.Fixture{}}
	for i := range 40 {
		f := new(state.Fixture)
		f.Post(tipoff.Event{
			ID: fmt.Sprint("e", i), Sport: "Tennis", League: fmt.Sprint("L", i%4), Begin: noon.Add(48 * time.Hour), End: noon.Add(50 * time.Hour),
			Participants: []string{}, Status: tipoff.StatusOpen,
		}, state.Position{Source: 1, Offset: int64(i)})
		b.fixtures[fmt.Sprint("e", i)] = f
	}
	return b
}

// bet adds a coupon, and returns the choice that the learner gets of it.
func (b *book) bet(user string, at time.Time, events ...string) *state.Choice {
	b.t.Helper()
	bettor := b.bettors[user]
	if bettor == nil {
		bettor = new(state.Bettor)
	}
	fresh, err := state.UnmarshalBettor(bettor.Marshal())
	if err != nil {
		b.t.Fatal(err)
	}
	b.offset++
	position := state.Position{Source: 2, Offset: b.offset}
	c := tipoff.Coupon{ID: fmt.Sprint(b.offset), UserID: user, Stake: 1, Timestamp: at}
	for _, event := range events {
		c.Selections = append(c.Selections, tipoff.Selection{EventID: event, Odds: 2})
	}
	fresh.AddCoupon(&c, position, state.CauseAt(position), at.Unix())
	legs := fresh.LegsOf(&c, state.Cause{Position: position, Floor: position.Offset}, at.Unix())
	for i := range legs {
		leg := &legs[i]
		f := b.fixtures[leg.EventID]
		f.Count(leg)
		fresh.Apply(state.Resolve(leg, f.Traits()), at.Unix())
	}
	b.bettors[user] = fresh
	return state.NewChoice(legs)
}

func (b *book) show(v *Views) {
	b.t.Helper()
	for id, f := range b.fixtures {
		put(b.t, v.PutFixture(topics.Key("default", id), f.Marshal(), noon))
	}
	for id, state := range b.bettors {
		put(b.t, v.PutBettor(topics.Key("default", id), state.Marshal()))
	}
}

// days bets for a while.
func (b *book) days(bets int) (choices []*state.Choice) {
	for i := range bets {
		at := noon.Add(time.Duration(i) * time.Minute)
		choices = append(choices, b.bet(fmt.Sprint("u", i%7), at, fmt.Sprint("e", i%7*4+i/7%4), fmt.Sprint("e", i*i%40)))
	}
	return choices
}

// TestLearn_DoesNotSeeTheCoupon: whether the tables hold a coupon already or not yet,
// the model is graded and taught the same.
func TestLearn_DoesNotSeeTheCoupon(t *testing.T) {
	b := newBook(t)
	choices := b.days(200)
	before, after, other := NewLearning(), NewLearning(), NewLearning()
	b.show(before)
	b.show(other)
	taught := rank.NewModel() // so that the learnt rankers have something to say
	for _, choice := range choices[100:] {
		other.Learn("default", choice, taught)
	}
	last := b.bet("u3", noon.Add(40*time.Hour), "e38", "e39") // the first bets for long: who saw them would know
	b.show(after)
	grade := func(v *Views) (rank.Grade, *rank.Model) {
		m, err := rank.UnmarshalModel(taught.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		g := v.Learn("default", last, m)
		if m.Steps != taught.Steps+1 || g.Targets == 0 {
			t.Errorf("%d steps, %+v", m.Steps, g)
		}
		return g, m
	}
	gradeBefore, modelBefore := grade(before)
	gradeAfter, modelAfter := grade(after)
	if gradeBefore != gradeAfter {
		t.Errorf("before the tables hold the coupon the grade is %+v, after it %+v", gradeBefore, gradeAfter)
	}
	if modelBefore.Weights == taught.Weights {
		t.Error("nothing was learnt")
	}
	// How well each ranker foresees the coupon depends on every term of the step. The
	// weights themselves are no measure: those of terms that all events share follow rounding.
	if diff := cmp.Diff(modelBefore.Quality, modelAfter.Quality, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Error("the model was taught something else once the tables held the coupon: ", diff)
	}
	if again, _ := grade(after); again != gradeAfter { // what was taken out is back, and is taken out again
		t.Errorf("a second time the grade is %+v, at first %+v", again, gradeAfter)
	}
	fresh := NewLearning()
	b.show(fresh)
	q := tipoff.Query{UserID: "u3", N: 40}
	if d := cmp.Diff(fresh.Recommend("default", q, noon), after.Recommend("default", q, noon)); d != "" {
		t.Error("learning left something changed: ", d)
	}
}

// TestLearn_TheClockIsTheCoupons: events of a past year are open while its coupons
// are learnt from, and no longer.
func TestLearn_TheClockIsTheCoupons(t *testing.T) {
	b := newBook(t)
	b.days(50)
	last := b.bet("u3", noon.Add(time.Hour), "e38")
	v := NewLearning()
	b.show(v)
	m := rank.NewModel()
	if g := v.Learn("default", last, m); g.Targets == 0 {
		t.Fatalf("%+v", g)
	}
	if v.Learn("default", b.bet("u9", noon.Add(72*time.Hour), "e1"), m); m.Steps != 1 {
		t.Errorf("a bet on an event that has begun was learnt from: %d steps", m.Steps)
	}
	if all, open := v.makeCompany("default").index.Len(); all == 0 || open != 0 {
		t.Errorf("%d of %d events are open after all have begun", open, all)
	}
}

func TestPutModel_RanksByWhatWasLearnt(t *testing.T) {
	v, learnt := New(), rank.NewLearnt()
	learnt.Epoch = 5
	learnt.Live.Add(rank.Grade{Targets: 1, HR: 1, NDCG: 0.5}, noon.Unix())
	put(t, v.PutModel("default/model", learnt.Marshal(), noon))
	stats := v.LearningStats()
	if len(stats) != 1 || stats[0].Day.Coupons != 1 || stats[0].Hour.NDCG != 0.5 || stats[0].Leader == "" || len(stats[0].Rankers) != len(rank.ComparedRankers) {
		t.Errorf("stats are %+v", stats)
	}
	learnt.Epoch = 4
	if err := v.PutModel("default/model", learnt.Marshal(), noon); !errors.Is(err, ErrStale) {
		t.Errorf("a former owner's value: %v", err)
	}
	if err := v.PutModel("default/model", []byte{2, 1}, noon); err == nil {
		t.Error("a broken value was taken")
	}
	put(t, v.PutModel("default/model", nil, noon))
	if len(v.LearningStats()) != 0 {
		t.Error("a model that was deleted is still there")
	}
}
