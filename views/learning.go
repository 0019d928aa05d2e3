package views

import (
	"cmp"
	"time"

	"tipoff"
	"tipoff/rank"
	"tipoff/state"
)

// late is how much later than the newest coupon another may be handled and still be
// compared with everything that was open when it was made. Of one that is later still,
// events that have begun meanwhile are left out.
const late = 10 * time.Minute

// NewLearning returns empty views to learn on. They keep their own time, that of the
// newest coupon, so that the past can be learnt from as well as the present.
func NewLearning() *Views {
	v := New()
	v.learning = true
	return v
}

// Learn grades the model's ranking on a choice and lets the model learn from it, on
// the company's state without the coupon: its bettor is as before, and what the
// fixtures have counted of it is taken out.
func (v *Views) Learn(name string, choice *state.Choice, model *rank.Model) rank.Grade {
	scratch := v.scratches.Get().(*rank.Scratch)
	defer v.scratches.Put(scratch)
	c := v.makeCompany(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Unix(choice.At, 0)
	if clock := now.Add(-late); clock.After(c.clock) {
		c.clock = clock
		c.index.Begin(clock)
	}
	decoded := v.decoded.Get().(*state.Bettor)
	defer v.decoded.Put(decoded) // after the index has been given it again
	current := c.bettor(choice.UserID, decoded)
	known := cmp.Or(current, new(state.Bettor))
	before := known.Before(choice, c.traits)
	before.User.ID = choice.UserID
	if len(before.Bets) < len(known.Bets) { // else the table does not hold the coupon yet
		c.index.PutBettor(choice.UserID, before)
		defer c.index.PutBettor(choice.UserID, current)
	}
	less := c.takeOut(choice.Events, choice.Legs(known))
	defer c.putBack(less)
	q := &rank.Question{Query: tipoff.Query{UserID: choice.UserID}, Now: now, Model: model}
	grade := c.index.GradeOf(q, choice.Events, scratch)
	model.Learn(c.index, q, choice.Events, scratch)
	return grade
}

// bettor decodes the state of a bettor into the memory given; nil where none is known.
func (c *company) bettor(id string, decoded *state.Bettor) *state.Bettor {
	value, ok := c.bettors[id]
	if !ok || decoded.Unmarshal(value) != nil { // it was read before
		return nil
	}
	decoded.User.ID = id
	return decoded
}

// traits are what an event adds to a taste, the zero Traits where it is not posted.
func (c *company) traits(event uint64) state.Traits {
	if fixture := c.fixtures[event]; fixture != nil {
		return fixture.Traits()
	}
	return state.Traits{}
}

// takeOut makes the index forget legs, each on its event, and returns as less the fixtures
// that it took something from.
func (c *company) takeOut(events []uint64, legs []state.Leg) (less map[uint64]*state.Fixture) {
	less = map[uint64]*state.Fixture{}
	for i, ref := range events {
		was := cmp.Or(less[ref], c.fixtures[ref])
		if was == nil {
			continue
		}
		if without := was.Without(&legs[i]); without != was {
			less[ref] = without
		}
	}
	for ref, fixture := range less {
		c.index.PutFixture(ref, fixture, c.clock)
	}
	return less
}

func (c *company) putBack(less map[uint64]*state.Fixture) {
	for ref := range less {
		c.index.PutFixture(ref, c.fixtures[ref], c.clock)
	}
}
