package processors

import (
	"time"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

// Expiry is how values of a table that wait for nothing any more are found. The owner of
// a partition looks through its values now and then, and asks those that may be due, by
// its own clock. What becomes of them is decided by the record that asks, by the broker's.
type Expiry struct {
	Due func(key string, value []byte, now time.Time, wait time.Duration) bool
	Ask func(set topics.TableSet, key string, wait time.Duration) topics.Record
}

func dueFixture(key string, value []byte, now time.Time, wait time.Duration) bool {
	_, _, isChunk := topics.SplitPartKey(key)
	return !isChunk && state.DueFixture(value, now, wait)
}

// expireFixture asks a fixture of the table set whether its time is over.
func expireFixture(set topics.TableSet, key string, wait time.Duration) topics.Record {
	message := &state.Expire{Wait: int64(wait / time.Second)}
	return topics.Record{Topic: set.LoopFixtures(), Key: key, Value: state.MarshalMessage(message), Received: time.Now()}
}

// The way out of a fixture whose event does not come, a step at each record that asks
// when it is due (see [state.Fixture.Expire]):
//
//	owner ── Expire ──>  fixture e: counts its legs no more
//	                     fixture e  ── Expired ─────────>  chunk e/n: rejects its legs
//	owner ── Expire ──>  fixture e  ── Expired, empty ──>  chunk e/n: is deleted
//	owner ── Expire ──>  fixture e: is deleted
//
// The fixture knows until the end which legs it has counted, and the chunk its legs until
// their rejections are acknowledged: a record that is delivered again rejects the same
// legs under the same names.

func (in *input) expire(fixture *state.Fixture, wait int64) {
	if in.Value() == nil {
		return
	}
	step := fixture.Expire(in.appended.Unix(), wait)
	if step == state.StepDelete {
		in.Delete(in.headers())
		return
	}
	in.saveFixture(fixture)
	if step != state.StepNone {
		in.tellChunks(0, fixture.Gone, &state.Expired{Empty: step == state.StepEmpty})
	}
}

// expireChunk rejects the legs of a chunk; or deletes it, if that has been done.
func (in *input) expireChunk(chunk *state.Chunk, empty bool) {
	if in.Value() == nil || chunk.Released {
		return
	}
	rejected := chunk.HasExpired() && chunk.Expired.Source == in.record.Source &&
		tipoff.SequenceBefore(chunk.Expired.Offset, in.finished())
	if empty && rejected {
		in.Delete(in.headers())
		return
	}
	if !chunk.HasExpired() {
		chunk.Expired = in.record
	}
	in.saveChunk(chunk)
	for i := range chunk.Legs {
		in.rejectLeg(&chunk.Legs[i])
	}
}

// rejectLeg puts a leg that waited for its event on the topic of rejections, under its
// place on the topic of legs, which is in the same partition.
func (in *input) rejectLeg(leg *state.Leg) {
	r := topics.Rejection{
		Reason:    "the event of this selection was not posted in time (TIPOFF_EVENT_WAIT, from the last bet on it): post events before the bets on them",
		Kind:      topics.NeverPosted,
		By:        in.set.First(string(in.Group())),
		Topic:     in.set.Public(in.set.Selections()),
		Partition: in.Partition(),
		Offset:    tipoff.SequenceOffset(leg.Sent),
		Epoch:     tipoff.SequenceEpoch(leg.Sent),
		Key:       topics.Key(in.company, leg.EventID),
		Value:     state.MarshalMessage(leg),
	}
	in.Emit(topics.Rejected, r.ID(), r.Marshal())
	in.ownership.Rejected(r.Topic, topics.NeverPosted)
}
