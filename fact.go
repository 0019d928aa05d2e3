package tipoff

import (
	"fmt"
	"time"
)

// Kind says what a fact is about.
type Kind string

// The kinds of facts that have a body of their own. A change of an event has none: its
// event is named beside it, see [DecodeEventPatch].
const (
	KindUser   Kind = "user"
	KindEvent  Kind = "event"
	KindCoupon Kind = "coupon"
)

// Fact is one thing that a company posts, decoded: a user, an event, a change of an
// event or a coupon, whichever of them is not nil.
type Fact struct {
	At     time.Time // when it came
	User   *User
	Event  *Event
	Patch  *EventPatch
	Coupon *Coupon
}

// DecodeFact reads the body of a fact; the error is [Faults] unless the kind is none.
// Of a body with faults it returns what could be read, so that its ID can be told.
// When it came is for the caller to say.
func DecodeFact(kind Kind, body []byte, how Reading) (Fact, error) {
	switch kind {
	case KindUser:
		u, err := DecodeUser(body, how)
		return Fact{User: &u}, err
	case KindEvent:
		e, err := DecodeEvent(body, how)
		return Fact{Event: &e}, err
	case KindCoupon:
		c, err := DecodeCoupon(body, how)
		return Fact{Coupon: &c}, err
	}
	return Fact{}, fmt.Errorf("kind must be user, event or coupon, is %q", kind)
}

// Entity returns the user, event, change or coupon, and its kind, which is empty for a
// change of an event.
func (f *Fact) Entity() (Kind, any) {
	switch {
	case f.User != nil:
		return KindUser, f.User
	case f.Event != nil:
		return KindEvent, f.Event
	case f.Coupon != nil:
		return KindCoupon, f.Coupon
	}
	return "", f.Patch
}

// ID is the public id of the user, of the event, also of one that is changed, or of
// the coupon.
func (f *Fact) ID() string {
	switch {
	case f.User != nil:
		return f.User.ID
	case f.Event != nil:
		return f.Event.ID
	case f.Patch != nil:
		return f.Patch.ID
	case f.Coupon != nil:
		return f.Coupon.ID
	}
	return ""
}

// Owner is the id that the fact is kept under: a coupon is its user's, all others are
// their own.
func (f *Fact) Owner() string {
	if f.Coupon != nil {
		return f.Coupon.UserID
	}
	return f.ID()
}
