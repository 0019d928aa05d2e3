package topics

import (
	"bytes"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tipoff"
)

// Facts stay JSON on their topics, in the fields of the public API, so that other
// consumers can read them.

// UserRecord is the fact that a user was posted.
func UserRecord(company string, u tipoff.User, received time.Time) Record {
	return record(Users, Key(company, u.ID), u, received)
}

// EventRecord is the fact that an event was posted.
func EventRecord(company string, e tipoff.Event, received time.Time) Record {
	return record(Events, Key(company, e.ID), e, received)
}

// PatchRecord is the fact that an event was changed. It travels with the events,
// in the order of that event's posts.
func PatchRecord(company string, p tipoff.EventPatch, received time.Time) Record {
	p.Patch = true
	return record(Events, Key(company, p.ID), p, received)
}

// CouponRecord is the fact that a coupon was posted; it travels with its user.
func CouponRecord(company string, c tipoff.Coupon, received time.Time) Record {
	return Record{Topic: Coupons, Key: Key(company, c.UserID), Value: c.JSON(), Received: received}
}

// FactRecord is a fact as it stands on its topic.
func FactRecord(company string, f tipoff.Fact) Record {
	switch {
	case f.User != nil:
		return UserRecord(company, *f.User, f.At)
	case f.Event != nil:
		return EventRecord(company, *f.Event, f.At)
	case f.Patch != nil:
		return PatchRecord(company, *f.Patch, f.At)
	}
	return CouponRecord(company, *f.Coupon, f.At)
}

func record(topic, key string, entity any, received time.Time) Record {
	value, err := json.Marshal(entity)
	if err != nil { // only values that were decoded and validated come here
		panic(fmt.Sprintf("marshal %T: %v", entity, err))
	}
	return Record{Topic: topic, Key: key, Value: value, Received: received}
}

// DecodeFact reads a record of one of the topics of facts, for its consumers all: topic
// is one of [Facts], and id the second part of the record's key, which the id in the body
// must be. The error says what is wrong, by field. When the fact came is for the caller
// to say.
func DecodeFact(topic, id string, value []byte, how tipoff.Reading) (f tipoff.Fact, err error) {
	field := "user_id"
	switch {
	case topic == Users:
		f, err = tipoff.DecodeFact(tipoff.KindUser, value, how)
	case topic == Coupons:
		f, err = tipoff.DecodeFact(tipoff.KindCoupon, value, how)
	case IsPatch(value):
		field = "event_id"
		var patch tipoff.EventPatch
		patch, err = tipoff.DecodeEventPatch(value, id, how)
		f.Patch = &patch
	default:
		field = "event_id"
		f, err = tipoff.DecodeFact(tipoff.KindEvent, value, how)
	}
	if err == nil && f.Owner() != id {
		err = fmt.Errorf("%s: must be the key's, %q", field, id)
	}
	return f, err
}

// IsPatch tells a patch on the event topic from an event.
func IsPatch(value []byte) bool { return bytes.HasPrefix(value, []byte(`{"patch":true`)) }

// Rejection is a record of [Rejected]: what could not be processed, why, and
// where it came from.
type Rejection struct {
	Reason    string        `json:"reason"`
	Kind      RejectionKind `json:"kind,omitzero"` // "": an older program rejected it
	By        string        `json:"by"`            // the processor or sink that refused it
	Topic     string        `json:"topic"`
	Partition int32         `json:"partition"`
	Offset    int64         `json:"offset"`
	Epoch     int32         `json:"epoch,omitzero"` // leader epoch; a log that lost its end uses offsets again
	Key       string        `json:"key"`
	Value     []byte        `json:"value"` // as it was, base64
	Received  time.Time     `json:"received,omitzero"`
	// Retried is when the record was published again: a rejection that has it says
	// so of the one with the same id before it, and has no value of its own.
	Retried time.Time `json:"retried,omitzero"`
}

// Bounds of what a rejection keeps of a record, so that it always fits into a
// message.
const (
	MaxRejectedValue  = 256 << 10 // bytes
	MaxRejectedKey    = 4 << 10   // bytes
	maxRejectedReason = 4 << 10   // bytes
)

// Cut says that the rejection may not hold all of the refused record.
func (r Rejection) Cut() bool {
	return len(r.Value) >= MaxRejectedValue || len(r.Key) >= MaxRejectedKey
}

// Marshal encodes the rejection for its topic, cut to the bounds.
func (r Rejection) Marshal() []byte {
	r.Value = r.Value[:min(len(r.Value), MaxRejectedValue)]
	r.Key = r.Key[:min(len(r.Key), MaxRejectedKey)]
	r.Reason = r.Reason[:min(len(r.Reason), maxRejectedReason)]
	if year := r.Received.Year(); year < 1 || year > 9999 {
		r.Received = time.Time{} // JSON has no such years
	}
	value, err := json.Marshal(r, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		panic(fmt.Sprintf("tipoff: marshal a rejection: %v", err)) // its fields all have a form
	}
	return value
}

// ID names the refused record: the key of its rejection, so that a repeat of the
// same rejection is recognised.
func (r Rejection) ID() string {
	id := fmt.Sprintf("%s/%s/%d/%d", r.By, r.Topic, r.Partition, r.Offset)
	if r.Epoch > 0 {
		id += fmt.Sprintf("@%d", r.Epoch)
	}
	return id
}
