// Package processors turns facts into state: goka group processors that keep
// a table of bettors and a table of fixtures.
//
// What arrives is the fact topics. A coupon goes to the bettors, which note it
// and send each leg to its fixture; the fixture counts the leg and sends it back
// with the event's attributes, at once or when the event comes; the bettors then learn
// the taste. What leaves is the tables, and a rejection for every record that
// cannot be used. Each record changes state once, however often it is delivered:
// the state itself remembers what it holds.
//
// A third one, the learner, gets each new coupon, and learns from it how to rank.
//
// Only the dataflow is here. Every decision is a function of packages state and rank.
//
// What is not obvious: a callback must not fail, as goka would end the processor for all
// partitions. It rejects what it cannot use, and [callback] turns a panic into a
// rejection too.
package processors

import (
	"fmt"
	"maps"
	"runtime"
	"time"

	"github.com/lovoo/goka"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
	"tipoff/trace"
)

// Ownership is what a callback must know of where it runs.
type Ownership interface {
	// Tracer is what callbacks trace by; nil: they do not.
	Tracer() *trace.Tracer
	// Source tells one life of a topic from another; see [state.Position].
	Source(topic string) uint32
	// Sequence is the place of an offset on a partition of a topic; see [tipoff.Sequence].
	Sequence(topic string, partition int32, offset int64) int64
	// Epoch is the ownership of a partition under which values are written now; see
	// [state.Epoch].
	Epoch(partition int32) uint64
	// Finished is up to where every record of a partition of a topic is finished, all
	// its messages acknowledged; see [state.Cause].
	Finished(topic string, partition int32) int64
	// Held is how many values of a group a partition's table holds; see [Table].
	Held(partition int32, group string) int
	// Hold says that what follows from a record is in memory alone, until a record
	// that Settle names has written it: what a process has not written when it ends is
	// delivered again.
	Hold(topic string, partition int32, key string, offset int64)
	Settle(topic string, partition int32, key string, offset int64)
	// Rejected notes that a record of the topic, by its public name, was rejected.
	Rejected(topic string, kind topics.RejectionKind)
}

// input is one record with what every callback asks of it.
type input struct {
	goka.Context
	ownership   Ownership
	set         topics.TableSet
	bettors     *decoded[state.Bettor]  // of the processor of bettors
	fixtures    *decoded[state.Fixture] // of the processor of fixtures
	origin      topics.Origin           // of a copy
	company, id string                  // of the key
	value       []byte
	events      string          // see [topics.HeaderEvents]
	told        bool            // see [topics.HeaderTold]
	trace       string          // see [topics.HeaderTrace]; of what follows from the record
	span        *trace.Span     // nil: the record is not traced
	follows     [2]goka.Headers // of what follows from the record; of a leg that was told; nil: not needed yet
	received    time.Time
	appended    time.Time      // by the broker, to the fact's own topic
	at          state.Position // the fact's position there, which states compare
	record      state.Position // the record's position on the topic that was read
}

// callback returns the goka callback of one that takes an opened record. A record whose
// key is not ours is rejected, and so is one that makes the callback panic: a fault
// of ours must not stop the records behind it.
func callback(ownership Ownership, set topics.TableSet, handle func(*input)) goka.ProcessCallback {
	return func(ctx goka.Context, message any) {
		topic := string(ctx.Topic())
		record := state.Position{Source: ownership.Source(topic), Offset: ownership.Sequence(topic, ctx.Partition(), ctx.Offset())}
		in := &input{Context: ctx, ownership: ownership, set: set, at: record, record: record, appended: ctx.Timestamp()}
		in.value, _ = message.([]byte)
		headers := topics.ParseHeaders(maps.All(ctx.Headers()))
		if origin := headers.Origin; !origin.IsZero() {
			in.origin, in.appended = origin, origin.Appended
			in.at = state.Position{Source: topics.Source(origin.TopicID), Offset: origin.Offset}
		}
		in.received, in.events, in.told = headers.ReceivedBy(in.appended), headers.Events, headers.Told
		in.begin(headers.Trace)
		defer in.span.End()
		defer func() {
			fault := recover()
			if fault == nil {
				return
			}
			err, isError := fault.(error)
			if _, ours := fault.(runtime.Error); isError && !ours {
				panic(err) // goka's way to end the partition
			}
			in.reject(topics.Panicked, fmt.Sprintf("made the processor panic: %v", fault))
		}()
		var ok bool
		if in.company, in.id, ok = topics.SplitKey(ctx.Key()); !ok {
			in.reject(topics.Malformed, "the key must be company/id")
			return
		}
		handle(in)
	}
}

// begin starts the record's span, if it is traced. What follows from the record follows from the
// span, or where there is none, as this process does not trace, from the one before.
func (in *input) begin(traceparent string) {
	in.trace = traceparent
	in.span = in.ownership.Tracer().Process(traceparent, trace.Read{
		Topic: string(in.Topic()), Group: string(in.Group()), Partition: in.Partition(), Offset: in.Offset(), Received: in.received,
	})
	if in.span != nil {
		in.trace = in.span.Traceparent()
	}
}

// cause is the record's identity in the messages that follow from it. A copy has
// its own: which records of its partition are finished is known of the topic that
// was read.
func (in *input) cause() state.Cause {
	return state.Cause{Partition: in.Partition(), Position: in.record, Floor: min(in.record.Offset, in.finished())}
}

// finished is the place up to which every record of the partition is finished.
func (in *input) finished() int64 {
	topic, partition := string(in.Topic()), in.Partition()
	return in.ownership.Sequence(topic, partition, in.ownership.Finished(topic, partition))
}

// epoch is what the values that this callback writes carry.
func (in *input) epoch() uint64 { return in.ownership.Epoch(in.Partition()) }

// hold and settle are [Ownership.Hold] and [Ownership.Settle] of the record.
func (in *input) hold() { in.ownership.Hold(string(in.Topic()), in.Partition(), in.Key(), in.Offset()) }
func (in *input) settle() {
	in.ownership.Settle(string(in.Topic()), in.Partition(), in.Key(), in.Offset())
}

// fact is the record's body, validated by the broker's clock, as the
// producer's may be wrong. A body that cannot be used is rejected, and ok is false.
func (in *input) fact() (f tipoff.Fact, ok bool) {
	topic := in.set.Public(string(in.Topic()))
	f, err := topics.DecodeFact(topic, in.id, in.value, tipoff.Reading{Now: in.appended})
	if err != nil {
		in.reject(topics.Invalid, err.Error())
	}
	return f, err == nil
}

// headers go with everything that follows from the record, so that the last one
// to act on it knows how old it is, and what it is traced under.
func (in *input) headers() goka.ContextOption { return in.headersOf(false) }

// headersOf are [input.headers], or those of a leg that its bettor was told of, for which
// nobody waits.
func (in *input) headersOf(told bool) goka.ContextOption {
	headers := &in.follows[0]
	if told {
		headers = &in.follows[1]
	}
	if *headers == nil {
		*headers = maps.Collect(topics.Headers{Received: in.received, Told: told, Trace: in.trace}.All())
		if told {
			(*headers)[topics.HeaderMayGather] = nil
		}
	}
	return goka.WithCtxEmitHeaders(*headers)
}

// send emits a message to another processor.
func (in *input) send(topic, key string, message any) {
	in.Emit(goka.Stream(topic), key, state.MarshalMessage(message), in.headers())
}

// reject puts the record on the topic of rejections, with the reason. Every table set
// rejects a fact under the same name, as it is one rejection.
func (in *input) reject(kind topics.RejectionKind, reason string) {
	r := topics.Rejection{
		Reason:    reason,
		Kind:      kind,
		By:        in.set.First(string(in.Group())),
		Topic:     in.set.Public(string(in.Topic())),
		Partition: in.Partition(),
		Offset:    in.Offset(),
		Epoch:     tipoff.SequenceEpoch(in.at.Offset),
		Key:       in.Key(),
		Value:     in.value,
		Received:  in.received.UTC(),
	}
	if !in.origin.IsZero() {
		r.Partition, r.Offset = in.origin.Partition, tipoff.SequenceOffset(in.origin.Offset)
	}
	in.Emit(topics.Rejected, r.ID(), r.Marshal())
	in.ownership.Rejected(r.Topic, kind)
	in.span.Fail(string(kind))
}

// unreadable rejects the record because the state that it would change is broken:
// to write over that would lose it, and to stop would hold up all others.
func (in *input) unreadable(err error) {
	in.reject(topics.BrokenTable, fmt.Sprintf("the table's value for this key is broken (%v): mend or delete it, then retry this record", err))
}
