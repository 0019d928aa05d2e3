package sink

import (
	"database/sql"
	"fmt"
	"iter"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"

	"tipoff"
	"tipoff/topics"
	"tipoff/trace"
)

// origin is where a row came from. Within one source the later place is newer; between
// two sources, say after a cluster was created again, the later append time.
type origin struct {
	sourceID int64
	offset   int64  // with its leader epoch above it: a [tipoff.Sequence]
	appended string // SQL time
	received string
}

func (o origin) newerThan(stored origin) bool {
	if o.sourceID == stored.sourceID {
		return tipoff.SequenceBefore(stored.offset, o.offset)
	}
	return o.appended > stored.appended
}

func (o origin) put(r row) row {
	return append(r, column{"source_id", o.sourceID}, column{"source_offset", o.offset}, column{"appended_at", o.appended}, column{"received_at", o.received})
}

// sqlTime is a time as both databases store and compare it, in UTC.
func sqlTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000") }

// fact is one record of a fact topic, decoded.
type fact struct {
	tipoff.Fact
	company string
	origin
	record *sarama.ConsumerMessage
	trace  string      // see [topics.HeaderTrace]
	span   *trace.Span // of its way into the database; nil: it is not traced
}

// read decodes a record. ok is false for one that cannot be used: the processors
// reject the same ones, for the same reason, where people see it.
func read(m *sarama.ConsumerMessage) (f fact, ok bool) {
	company, id, ok := topics.SplitKey(string(m.Key))
	if !ok {
		return f, false
	}
	var err error
	f.Fact, err = topics.DecodeFact(m.Topic, id, m.Value, tipoff.Reading{Now: m.Timestamp})
	f.company, f.record = company, m
	headers := topics.ParseHeaders(headersOf(m))
	f.At, f.trace = headers.ReceivedBy(m.Timestamp), headers.Trace
	f.offset, f.appended, f.received = m.Offset, sqlTime(m.Timestamp), sqlTime(f.At)
	return f, err == nil
}

// headersOf visits the headers of a record.
func headersOf(m *sarama.ConsumerMessage) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, h := range m.Headers {
			if !yield(string(h.Key), h.Value) {
				return
			}
		}
	}
}

func userRow(company int64, u *tipoff.User) row {
	return row{
		{"company_id", company}, {"user_id", u.ID}, {"birth_year", u.BirthYear}, {"country", u.Country}, {"currency", u.Currency},
		{"gender", u.Gender}, {"registration_date", sqlTime(u.RegistrationDate)}, {"name", orNull(u.Name)},
		{"favourite_sport", orNull(u.FavouriteSport)}, {"favourite_league", orNull(u.FavouriteLeague)}, {"extra", orNull(string(u.Extra))},
		{"version", versionColumn(u.Version)},
	}
}

func couponRow(company int64, c *tipoff.Coupon) row {
	return row{
		{"company_id", company}, {"user_id", c.UserID}, {"coupon_id", c.ID}, {"stake", c.Stake}, {"placed_at", sqlTime(c.Timestamp)},
		{"legs", len(c.Selections)}, {"extra", orNull(string(c.Extra))},
	}
}

func selectionRow(company, coupon int64, position int, s *tipoff.Selection) row {
	return row{
		{"coupon_pk", coupon}, {"position", position}, {"company_id", company}, {"event_id", s.EventID}, {"odds", s.Odds},
		{"market", orNull(s.Market)}, {"outcome", orNull(s.Outcome)},
	}
}

// eventState is an event as its row holds it, or will: the event, or changes of
// an event that is not announced yet.
type eventState struct {
	id        int64 // 0: no row yet
	announced bool
	event     tipoff.Event
	patch     tipoff.EventPatch
	covered   uint64 // see Fixture.Covered in package state
	origin
	changed bool
}

// apply changes the state as a newer fact says, in the way that the fixtures
// processor does.
func (s *eventState) apply(f *fact) {
	if s.origin != (origin{}) && !f.newerThan(s.origin) {
		return
	}
	s.origin, s.changed = f.origin, true
	switch {
	case f.Event != nil && !s.announced:
		s.event, s.covered = s.patch.Announce(*f.Event)
		s.announced = true
	case f.Event != nil:
		if s.covered == 0 || s.covered != f.Event.Digest() {
			s.event.Replace(*f.Event)
			s.covered = 0
		}
	case s.announced:
		f.Patch.Apply(&s.event)
		s.covered = 0
	default:
		s.patch.Merge(*f.Patch)
	}
}

func (s *eventState) row(company int64, id string) (row, error) {
	announced := 1
	e := &s.event
	if !s.announced {
		announced = 0
		e = &tipoff.Event{Status: s.patch.Status, Result: s.patch.Result, Markets: s.patch.Markets, Begin: s.patch.Begin, Version: s.patch.Version}
	}
	var markets any
	if e.Markets != nil {
		text, err := json.Marshal(e.Markets)
		if err != nil {
			return nil, fmt.Errorf("markets of event %s: %w", id, err)
		}
		markets = string(text)
	}
	time := func(t time.Time) any {
		if !s.announced && t.IsZero() {
			return nil
		}
		return sqlTime(t)
	}
	return s.put(row{
		{"company_id", company}, {"event_id", id}, {"announced", announced},
		{"sport", orNull(e.Sport)}, {"league", orNull(e.League)}, {"country", orNull(e.Country)},
		{"begin_at", time(e.Begin)}, {"end_at", time(e.End)}, {"home", orNull(e.Home)}, {"away", orNull(e.Away)},
		{"status", orNull(e.Status)}, {"result", orNull(e.Result)}, {"markets", markets}, {"extra", orNull(string(e.Extra))},
		{"version", versionColumn(e.Version)}, {"covered_digest", coveredColumn(s.covered)},
	}), nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func versionColumn(v tipoff.Version) any {
	if !v.Given {
		return nil
	}
	return v.Number
}

// versionOf is the reverse of versionColumn.
func versionOf(column sql.NullInt64) (v tipoff.Version) {
	if column.Valid {
		v = tipoff.VersionOf(column.Int64)
	}
	return v
}

// coveredColumn keeps all bits of the digest: SQLite and a driver know no unsigned ones.
func coveredColumn(digest uint64) any {
	if digest == 0 {
		return nil
	}
	return int64(digest)
}
