package tipoff

import (
	"bytes"
	"slices"
	"sync"
)

// Offered is an event as it is held for answers, with its JSON, which is written once and
// joined into many of them. Whoever has one must not change it.
type Offered struct {
	Event
	texts [forms]text
	shown *shown
}

// Form is one way to write an event.
type Form int

// The forms.
const (
	FormV1 Form = iota
	FormOld
	forms
)

// text is what a form of an event is in JSON.
type text struct {
	once  sync.Once
	bytes []byte
}

// In returns the event in a form; write writes it, the first time.
func (o *Offered) In(form Form, write func(*Event) []byte) []byte {
	t := &o.texts[form]
	t.once.Do(func() { t.bytes = write(&o.Event) })
	if t.bytes == nil { // write panicked, and must again
		return write(&o.Event)
	}
	return t.bytes
}

// Equal says whether two events have the same in every field.
func (e *Event) Equal(o *Event) bool {
	return e.ID == o.ID && e.Begin.Equal(o.Begin) && e.End.Equal(o.End) &&
		e.Country == o.Country && e.League == o.League && e.Sport == o.Sport && slices.Equal(e.Participants, o.Participants) &&
		e.Home == o.Home && e.Away == o.Away && e.Status == o.Status && e.Result == o.Result &&
		slices.EqualFunc(e.Markets, o.Markets, Market.same) && bytes.Equal(e.Extra, o.Extra) && e.Version == o.Version
}

func (m Market) same(o Market) bool {
	return m.Market == o.Market && slices.Equal(m.Outcomes, o.Outcomes)
}

// Equal says whether both hold the same event.
func (o *Offered) Equal(other *Offered) bool { return o.Event.Equal(&other.Event) }
