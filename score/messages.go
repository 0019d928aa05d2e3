package score

// The messages between the bettors and the fixtures. Each starts with the wire
// version and its kind.

const messageVersion = 1

// Kinds of message.
const (
	kindLeg byte = iota + 1
	kindResolved
	kindRelease
	kindRewrite
	kindChoice
)

// Leg is one selection of a new coupon on its way to its fixture.
type Leg struct {
	Cause
	UserID  string
	EventID string
	Coupon  uint64 // [CouponRef] of its coupon
	At      int64  // when the bet was made, Unix seconds, not after it was received
	Odds    float64
	Market  string
	Outcome string
	History []uint64 // events the user bet on before, newest first, [HistoryForPairs] at most
}

// Resolved is a leg that comes back from its fixture with the event's
// attributes, for the bettor's affinities.
type Resolved struct {
	Coupon uint64
	Index  int // of the selection in its coupon
	At     int64
	Odds   float64
	Market string
	Traits
}

// Traits are the attributes of an event that tastes are made of.
type Traits struct {
	Event  uint64 // [tipoff.EventRef]
	Begin  int64  // Unix seconds
	Sport  uint32 // [Name]s
	League uint32
	Teams  []uint32
}

// Release tells a chunk of waiting legs that their event has come.
type Release struct{ Traits }

// Choice is a new coupon with what was known of its bettor before: what a company's
// model learns from.
type Choice struct {
	UserID string
	At     int64  // when the bet was made, Unix seconds, not after it was received
	Before []byte // the bettor's state, by [Bettor.Marshal]; empty: nothing was known
	Legs   []Leg  // as they go to their fixtures
}

// Rewrite asks the owner of a key to write its value again, as a former owner's
// stands after it on the topic.
type Rewrite struct{}

// MarshalMessage encodes a *[Leg], *[Resolved], *[Release], *[Rewrite] or *[Choice].
func MarshalMessage(message any) []byte {
	w := make(wire, 0, 128)
	w.byte(messageVersion)
	switch m := message.(type) {
	case *Leg:
		w.byte(kindLeg)
		w.cause(m.Cause)
		w.text(m.UserID)
		w.text(m.EventID)
		w.word64(m.Coupon)
		w.int(m.At)
		w.float(m.Odds)
		w.text(m.Market)
		w.text(m.Outcome)
		w.uint(uint64(len(m.History)))
		for _, event := range m.History {
			w.ref(event)
		}
	case *Resolved:
		w.byte(kindResolved)
		w.word64(m.Coupon)
		w.uint(uint64(m.Index))
		w.int(m.At)
		w.float(m.Odds)
		w.text(m.Market)
		w.traits(m.Traits)
	case *Release:
		w.byte(kindRelease)
		w.traits(m.Traits)
	case *Rewrite:
		w.byte(kindRewrite)
	case *Choice:
		w.byte(kindChoice)
		w.text(m.UserID)
		w.int(m.At)
		w.raw(m.Before)
		w.uint(uint64(len(m.Legs)))
		for i := range m.Legs {
			w.raw(MarshalMessage(&m.Legs[i]))
		}
	default:
		panic("score: not a message")
	}
	return w
}

// UnmarshalMessage is the reverse of [MarshalMessage].
func UnmarshalMessage(b []byte) (any, error) {
	u := &unwire{b: b}
	if u.byte() != messageVersion {
		return nil, errWire
	}
	var message any
	switch u.byte() {
	case kindLeg:
		message = u.leg()
	case kindResolved:
		message = &Resolved{Coupon: u.word64(), Index: int(u.uint()), At: u.int(), Odds: u.float(),
			Market: u.text(), Traits: u.traits()}
	case kindRelease:
		message = &Release{u.traits()}
	case kindRewrite:
		message = &Rewrite{}
	case kindChoice:
		m := &Choice{UserID: u.text(), At: u.int(), Before: u.raw()}
		for range u.count(1) {
			leg, err := unmarshalLeg(u.raw())
			if err != nil {
				return nil, err
			}
			m.Legs = append(m.Legs, *leg)
		}
		message = m
	default:
		return nil, errWire
	}
	return message, u.end()
}

// unmarshalLeg decodes a message that must be a leg, and looks into no other: messages
// within messages have one depth, however long the record.
func unmarshalLeg(b []byte) (*Leg, error) {
	u := &unwire{b: b}
	if u.byte() != messageVersion || u.byte() != kindLeg {
		return nil, errWire
	}
	leg := u.leg()
	return leg, u.end()
}

func (u *unwire) leg() *Leg {
	leg := &Leg{Cause: u.cause(), UserID: u.text(), EventID: u.text(), Coupon: u.word64(), At: u.int(),
		Odds: u.float(), Market: u.text(), Outcome: u.text()}
	if n := u.count(6); n > 0 {
		leg.History = make([]uint64, n)
		for i := range leg.History {
			leg.History[i] = u.ref()
		}
	}
	return leg
}

func (w *wire) traits(t Traits) {
	w.ref(t.Event)
	w.int(t.Begin)
	w.word32(t.Sport)
	w.word32(t.League)
	w.uint(uint64(len(t.Teams)))
	for _, team := range t.Teams {
		w.word32(team)
	}
}

func (u *unwire) traits() Traits {
	t := Traits{Event: u.ref(), Begin: u.int(), Sport: u.word32(), League: u.word32()}
	if n := u.count(4); n > 0 {
		t.Teams = make([]uint32, n)
		for i := range t.Teams {
			t.Teams[i] = u.word32()
		}
	}
	return t
}
