package state

import (
	"tipoff"
	"tipoff/wire"
)

// The messages between the bettors and the fixtures. Each starts with the wire
// version and its kind.

const messageVersion = 1

// Kinds of message.
const (
	kindLeg byte = iota + 1
	kindResolved
	kindRelease
	kindRewrite
	kindChoiceWithBettor // of an older program
	kindWaiting
	kindExpire
	kindExpired
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
	Sent    int64    // its place on the topic of legs, a [tipoff.Sequence], which names it as a dead letter; only where it waits
}

// Waiting is a leg on its way to the chunk where it waits.
type Waiting struct{ Leg }

// Expire asks a fixture whether its time is over.
type Expire struct{ Wait int64 } // how long legs wait, seconds

// Expired tells a chunk that the time of its legs is over.
type Expired struct{ Empty bool } // they have been dead letters long enough: the chunk goes

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

// Choice is a new coupon as far as a company's model learns from it: who bet on which
// events. What was known before follows from the tables; see [Bettor.Before].
type Choice struct {
	Cause  // the coupon's record
	UserID string
	Coupon uint64   // [CouponRef]
	At     int64    // when the bet was made, Unix seconds, not after it was received
	Events []uint64 // [tipoff.EventRef] of each selection
}

// Rewrite asks the owner of a key to write its value again, as a former owner's
// stands after it on the topic.
type Rewrite struct{}

// MarshalMessage encodes a *[Leg], *[Resolved], *[Release], *[Rewrite],
// *[Choice], *[Waiting], *[Expire] or *[Expired].
func MarshalMessage(message any) []byte {
	w := make(wire.Writer, 0, 128)
	w.Byte(messageVersion)
	switch m := message.(type) {
	case *Leg:
		w.Byte(kindLeg)
		writeCause(&w, m.Cause)
		w.Text(m.UserID)
		w.Text(m.EventID)
		w.Word64(m.Coupon)
		w.Int(m.At)
		w.Float(m.Odds)
		w.Text(m.Market)
		w.Text(m.Outcome)
		w.Uint(uint64(len(m.History)))
		for _, event := range m.History {
			w.Ref(event)
		}
	case *Resolved:
		w.Byte(kindResolved)
		w.Word64(m.Coupon)
		w.Uint(uint64(m.Index))
		w.Int(m.At)
		w.Float(m.Odds)
		w.Text(m.Market)
		writeTraits(&w, m.Traits)
	case *Release:
		w.Byte(kindRelease)
		writeTraits(&w, m.Traits)
	case *Rewrite:
		w.Byte(kindRewrite)
	case *Choice:
		w.Byte(kindChoice)
		writeCause(&w, m.Cause)
		w.Text(m.UserID)
		w.Word64(m.Coupon)
		w.Int(m.At)
		w.Uint(uint64(len(m.Events)))
		for _, event := range m.Events {
			w.Ref(event)
		}
	case *Waiting:
		w.Byte(kindWaiting)
		w.Raw(MarshalMessage(&m.Leg))
		w.Int(m.Sent)
	case *Expire:
		w.Byte(kindExpire)
		w.Int(m.Wait)
	case *Expired:
		w.Byte(kindExpired)
		w.Flag(m.Empty)
	default:
		panic("state: not a message")
	}
	return w
}

// UnmarshalMessage is the reverse of [MarshalMessage].
func UnmarshalMessage(b []byte) (any, error) {
	r := wire.NewReader(b)
	if r.Byte() != messageVersion {
		return nil, wire.ErrUnreadable
	}
	var message any
	switch r.Byte() {
	case kindLeg:
		message = readLeg(r)
	case kindResolved:
		message = &Resolved{Coupon: r.Word64(), Index: int(r.Uint()), At: r.Int(), Odds: r.Float(),
			Market: r.Text(), Traits: readTraits(r)}
	case kindRelease:
		message = &Release{readTraits(r)}
	case kindRewrite:
		message = &Rewrite{}
	case kindChoice:
		message = &Choice{Cause: readCause(r), UserID: r.Text(), Coupon: r.Word64(), At: r.Int(), Events: readRefs(r)}
	case kindChoiceWithBettor:
		choice, err := readChoiceWithBettor(r)
		if err != nil {
			return nil, err
		}
		message = choice
	case kindWaiting:
		leg, err := unmarshalLeg(r.Raw())
		if err != nil {
			return nil, err
		}
		leg.Sent = r.Int()
		message = &Waiting{*leg}
	case kindExpire:
		message = &Expire{r.Int()}
	case kindExpired:
		message = &Expired{r.Flag()}
	default:
		return nil, wire.ErrUnreadable
	}
	return message, r.End()
}

// unmarshalLeg decodes a message that must be a leg, and looks into no other: messages
// within messages have one depth, however long the record.
func unmarshalLeg(b []byte) (*Leg, error) {
	r := wire.NewReader(b)
	if r.Byte() != messageVersion || r.Byte() != kindLeg {
		return nil, wire.ErrUnreadable
	}
	leg := readLeg(r)
	return leg, r.End()
}

func readLeg(r *wire.Reader) *Leg {
	leg := &Leg{Cause: readCause(r), UserID: r.Text(), EventID: r.Text(), Coupon: r.Word64(), At: r.Int(),
		Odds: r.Float(), Market: r.Text(), Outcome: r.Text()}
	leg.History = readRefs(r)
	return leg
}

func readRefs(r *wire.Reader) (refs []uint64) {
	if n := r.Count(6); n > 0 {
		refs = make([]uint64, n)
		for i := range refs {
			refs[i] = r.Ref()
		}
	}
	return refs
}

// readChoiceWithBettor reads a choice of an older program, which also has the state of the
// bettor before it and all of its legs.
func readChoiceWithBettor(r *wire.Reader) (*Choice, error) {
	c := &Choice{UserID: r.Text(), At: r.Int()}
	r.Raw()
	for range r.Count(1) {
		leg, err := unmarshalLeg(r.Raw())
		if err != nil {
			return nil, err
		}
		if len(c.Events) == 0 {
			c.Cause, c.Coupon = leg.Cause, leg.Coupon
		}
		c.Events = append(c.Events, tipoff.EventRef(leg.EventID))
	}
	return c, nil
}

// MarshalKnown encodes what is known of the events of a coupon, in the order of its
// selections; the zero Traits stand for one that is not.
func MarshalKnown(known []Traits) []byte {
	w := AppendKnown(make([]byte, 0, 32*len(known)+2), len(known))
	for i := range known {
		w = AppendTraits(w, &known[i])
	}
	return w
}

// AppendKnown appends the beginning of what [MarshalKnown] returns for so many events;
// [AppendTraits] appends each of them.
func AppendKnown(to []byte, events int) []byte {
	w := wire.Writer(to)
	w.Byte(messageVersion)
	w.Uint(uint64(events))
	return w
}

// AppendTraits appends what is known of one event.
func AppendTraits(to []byte, t *Traits) []byte {
	w := wire.Writer(to)
	if w.Flag(t.Event != 0); t.Event != 0 {
		writeTraits(&w, *t)
	}
	return w
}

// UnmarshalKnown is the reverse of [MarshalKnown].
func UnmarshalKnown(b []byte) ([]Traits, error) {
	r := wire.NewReader(b)
	if r.Byte() != messageVersion {
		return nil, wire.ErrUnreadable
	}
	known := make([]Traits, r.Count(1))
	for i := range known {
		if r.Flag() {
			known[i] = readTraits(r)
		}
	}
	return known, r.End()
}

func writeTraits(w *wire.Writer, t Traits) {
	w.Ref(t.Event)
	w.Int(t.Begin)
	w.Word32(t.Sport)
	w.Word32(t.League)
	w.Uint(uint64(len(t.Teams)))
	for _, team := range t.Teams {
		w.Word32(team)
	}
}

func readTraits(r *wire.Reader) Traits {
	t := Traits{Event: r.Ref(), Begin: r.Int(), Sport: r.Word32(), League: r.Word32()}
	if n := r.Count(4); n > 0 {
		t.Teams = make([]uint32, n)
		for i := range t.Teams {
			t.Teams[i] = r.Word32()
		}
	}
	return t
}
