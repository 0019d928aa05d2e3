// Package processors turns facts into state: two goka group processors that keep
// a table of bettors and a table of fixtures.
//
// What arrives is the fact topics. A coupon goes to the bettors, which note it
// and send each leg to its fixture; the fixture counts the leg and answers with
// the event's attributes, at once or when the event comes; the bettors then learn
// the taste. What leaves is the two tables, and a rejection for every record that
// cannot be used. Each record changes state once, however often it is delivered:
// the state itself remembers what it holds.
//
// Only the dataflow is here. Every decision is a function of package score.
package processors

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lovoo/goka"

	"tipoff"
	"tipoff/score"
)

// maxRejectedValue bounds the part of a refused record that its rejection keeps,
// so that a rejection always fits into a message.
const maxRejectedValue = 256 << 10

// Source tells one life of a topic from another; see [score.Position].
type Source func(topic string) uint32

// bytesCodec hands a message on as it is. It never fails, as a decoding error
// would end the processor for all partitions: the callbacks decode, and reject.
type bytesCodec struct{}

func (bytesCodec) Encode(value any) ([]byte, error) { return value.([]byte), nil }
func (bytesCodec) Decode(data []byte) (any, error)  { return data, nil }

// input is one record with what every callback asks of it.
type input struct {
	goka.Context
	company, id string // of the key
	value       []byte
	received    time.Time
	at          score.Position
}

// read opens a record. ok is false for one whose key is not ours: it is rejected.
func (s Source) read(ctx goka.Context, message any) (in input, ok bool) {
	in = input{
		Context:  ctx,
		received: ctx.Timestamp(),
		at:       score.Position{Source: s(string(ctx.Topic())), Offset: ctx.Offset()},
	}
	in.value, _ = message.([]byte)
	if received, err := tipoff.ParseReceived(ctx.Headers()[tipoff.HeaderReceived]); err == nil && received.Before(in.received) {
		in.received = received
	}
	in.company, in.id, ok = tipoff.SplitKey(ctx.Key())
	if !ok {
		in.reject("the key must be company/id")
	}
	return in, ok
}

// reading is how a record's body is held against the contract: by the broker's
// clock, as the producer's may be wrong.
func (in *input) reading() tipoff.Reading { return tipoff.Reading{Now: in.Timestamp()} }

// headers go with everything that follows from the record, so that the last one
// to act on it knows how old it is.
func (in *input) headers() goka.ContextOption {
	return goka.WithCtxEmitHeaders(goka.Headers{tipoff.HeaderReceived: tipoff.FormatReceived(in.received)})
}

// send emits a message to another processor.
func (in *input) send(topic goka.Stream, key string, message any) {
	in.Emit(topic, key, score.MarshalMessage(message), in.headers())
}

// reject puts the record on the topic of rejections, with the reason.
func (in *input) reject(reason string) {
	r := tipoff.Rejection{
		Reason:    reason,
		By:        string(in.Group()),
		Topic:     string(in.Topic()),
		Partition: in.Partition(),
		Offset:    in.Offset(),
		Key:       in.Key(),
		Value:     in.value[:min(len(in.value), maxRejectedValue)],
		Received:  in.received.UTC(),
	}
	value, err := json.Marshal(r, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		in.Fail(err)
	}
	in.Emit(tipoff.TopicRejected, r.ID(), value)
}

// unreadable ends the processor: a table value that this program cannot read
// must not be overwritten. The supervisor says so and tries again.
func (in *input) unreadable(err error) {
	in.Fail(&UnreadableError{Table: string(goka.GroupTable(in.Group())), Key: in.Key(), Err: err})
}

// UnreadableError is a table value of a version that this program does not know:
// the table was written by a newer one.
type UnreadableError struct {
	Table, Key string
	Err        error
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("table %s holds a value for %q that this version of Tipoff cannot read (%v): run the version that wrote it, or a newer one",
		e.Table, e.Key, e.Err)
}

func (e *UnreadableError) Unwrap() error { return e.Err }
