package views

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

// PutFixture applies a value of the fixtures' table; nil deletes. Chunks of
// waiting legs are in that table too, and are none of ours. The error is
// [ErrStale], or names a value that cannot be read; both change nothing. Of a fixture
// whose event is not posted only the epoch is kept. Learning views have a time of their
// own instead of now.
func (v *Views) PutFixture(key string, value []byte, now time.Time) error {
	if _, _, isChunk := topics.SplitPartKey(key); isChunk {
		return nil
	}
	name, id, ok := topics.SplitKey(key)
	if !ok {
		return fmt.Errorf("fixture %q: the key is not company/event", key)
	}
	c := v.makeCompany(name)
	if value == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.index.RemoveFixture(tipoff.EventRef(id))
		delete(c.epochs, tipoff.EventRef(id))
		delete(c.fixtures, tipoff.EventRef(id))
		return nil
	}
	fixture, err := state.UnmarshalFixture(value)
	if err != nil {
		return fmt.Errorf("fixture %q: %w", key, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ref := tipoff.EventRef(id)
	if fixture.Epoch < c.epochs[ref] {
		return fmt.Errorf("fixture %q: %w", key, ErrStale)
	}
	c.epochs[ref] = fixture.Epoch
	if !fixture.Known { // whoever posts bets may name as many as he likes
		return nil
	}
	if v.learning {
		c.fixtures[ref], now = fixture, c.clock
	}
	c.index.PutFixture(ref, fixture, now)
	return nil
}

// Known is what the company's fixtures say of a coupon's events, by
// [state.MarshalKnown]; "" where none is posted.
func (v *Views) Known(company string, coupon *tipoff.Coupon) string {
	c := v.company(company)
	if c == nil {
		return ""
	}
	var room [512]byte
	var teams [8]uint32
	known, posted := state.AppendKnown(room[:0], len(coupon.Selections)), false
	c.mu.RLock()
	for i := range coupon.Selections {
		var traits state.Traits
		id := coupon.Selections[i].EventID
		if event := c.index.Event(tipoff.EventRef(id)); event != nil && event.ID == id {
			traits, posted = state.TraitsIn(teams[:0], event), true
		}
		known = state.AppendTraits(known, &traits)
	}
	c.mu.RUnlock()
	if !posted {
		return ""
	}
	return string(known)
}

// Event finds a posted event, begun or not.
func (v *Views) Event(company, id string) (tipoff.Event, bool) {
	c := v.company(company)
	if c == nil {
		return tipoff.Event{}, false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if event := c.index.Event(tipoff.EventRef(id)); event != nil && event.ID == id {
		return *event, true
	}
	return tipoff.Event{}, false
}

// OpenEvents lists the company's open events that pass the filter, by beginning
// and id, and the cursor of the next page, "" after the last one.
func (v *Views) OpenEvents(company string, f tipoff.EventFilter, now time.Time) (events []tipoff.Event, cursor string, err error) {
	events = []tipoff.Event{}
	after, err := tipoff.ParseEventCursor(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	c := v.company(company)
	if c == nil {
		return events, "", nil
	}
	c.mu.RLock()
	c.index.OpenEvents(now, func(e *tipoff.Event) {
		if passes(e, &f) && after.Precedes(e) {
			events = append(events, *e)
		}
	})
	c.mu.RUnlock()
	slices.SortFunc(events, func(a, b tipoff.Event) int {
		return cmp.Or(a.Begin.Compare(b.Begin), cmp.Compare(a.ID, b.ID))
	})
	if len(events) > f.N {
		events = events[:f.N]
		cursor = tipoff.EventCursorAfter(&events[f.N-1])
	}
	return events, cursor, nil
}

func passes(e *tipoff.Event, f *tipoff.EventFilter) bool {
	return (f.Sport == "" || strings.EqualFold(e.Sport, f.Sport)) &&
		(f.League == "" || strings.EqualFold(e.League, f.League)) &&
		(f.From.IsZero() || !e.Begin.Before(f.From)) &&
		(f.Until.IsZero() || e.Begin.Before(f.Until))
}
