package sink

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"tipoff"
)

// events mirrors posts and changes of events: each row holds the event as it stands.
func (t *transaction) events(company int64, facts []fact) error {
	states := map[string]*eventState{}
	for i := range facts {
		states[facts[i].ID()] = &eventState{}
	}
	if err := t.readEvents(company, states); err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	for i := range facts {
		states[facts[i].ID()].apply(&facts[i])
	}
	var inserts, updates []row
	var fresh []string
	for id, s := range states {
		if !s.changed {
			continue
		}
		r, err := s.row(company, id)
		if err != nil {
			return err
		}
		if s.id == 0 {
			inserts = append(inserts, r)
			fresh = append(fresh, id)
		} else {
			updates = append(updates, r)
		}
	}
	if err := errors.Join(t.insert("events", inserts), t.replace("events", updates, "company_id", "event_id")); err != nil {
		return err
	}
	return t.participants(company, states, fresh)
}

// readEvents fills in the states that have rows.
func (t *transaction) readEvents(company int64, states map[string]*eventState) error {
	var stored []eventRow
	err := t.locked(t.From("events").Prepared(true).Select(&eventRow{}).
		Where(goqu.Ex{"company_id": company, "event_id": keys(states)})).ScanStructsContext(t.ctx, &stored)
	if err != nil {
		return err
	}
	for i := range stored {
		row := &stored[i]
		s := states[row.EventID]
		if s == nil {
			continue
		}
		event, err := row.event()
		if err != nil {
			return err
		}
		s.id, s.announced, s.covered = row.ID, row.Announced != 0, uint64(row.Covered.Int64)
		s.origin = origin{sourceID: row.Source, offset: row.Offset, appended: sqlTime(row.Appended)}
		if s.announced {
			s.event = event
		} else {
			s.patch = changesOf(&event)
		}
	}
	return nil
}

// participants replaces the participants of every event of the batch that was
// posted again; a change of an event leaves them as they are.
func (t *transaction) participants(company int64, states map[string]*eventState, fresh []string) error {
	if len(fresh) > 0 {
		var made []struct {
			ID      int64  `db:"id"`
			EventID string `db:"event_id"`
		}
		err := t.From("events").Prepared(true).Select("id", "event_id").
			Where(goqu.Ex{"company_id": company, "event_id": fresh}).ScanStructsContext(t.ctx, &made)
		if err != nil {
			return fmt.Errorf("read keys of events: %w", err)
		}
		for _, row := range made {
			if s := states[row.EventID]; s != nil {
				s.id = row.ID
			}
		}
	}
	var replaced []int64
	var rows []row
	for _, s := range states {
		if !s.changed || !s.announced || s.event.Participants == nil {
			continue
		}
		replaced = append(replaced, s.id)
		for i, name := range s.event.Participants {
			rows = append(rows, row{{"event_pk", s.id}, {"position", i}, {"name", name}})
		}
	}
	if len(replaced) == 0 {
		return nil
	}
	_, err := t.Delete("event_participants").Prepared(true).Where(goqu.Ex{"event_pk": replaced}).Executor().ExecContext(t.ctx)
	if err != nil {
		return fmt.Errorf("delete participants: %w", err)
	}
	return t.insert("event_participants", rows)
}

// eventRow is a row of events.
type eventRow struct {
	ID        int64          `db:"id"`
	EventID   string         `db:"event_id"`
	Announced int            `db:"announced"`
	Sport     sql.NullString `db:"sport"`
	League    sql.NullString `db:"league"`
	Country   sql.NullString `db:"country"`
	Begin     sql.NullTime   `db:"begin_at"`
	End       sql.NullTime   `db:"end_at"`
	Home      sql.NullString `db:"home"`
	Away      sql.NullString `db:"away"`
	Status    sql.NullString `db:"status"`
	Result    sql.NullString `db:"result"`
	Markets   sql.NullString `db:"markets"`
	Extra     sql.NullString `db:"extra"`
	Version   sql.NullInt64  `db:"version"`
	Covered   sql.NullInt64  `db:"covered_digest"`
	Source    int64          `db:"source_id"`
	Offset    int64          `db:"source_offset"`
	Appended  time.Time      `db:"appended_at"`
}

// event is the row without its participants, which are nil.
func (r *eventRow) event() (tipoff.Event, error) {
	e := tipoff.Event{
		ID: r.EventID, Begin: r.Begin.Time.UTC(), End: r.End.Time.UTC(), Country: r.Country.String, League: r.League.String,
		Sport: r.Sport.String, Home: r.Home.String, Away: r.Away.String, Status: r.Status.String, Result: r.Result.String,
		Version: versionOf(r.Version),
	}
	if r.Extra.Valid {
		e.Extra = []byte(r.Extra.String)
	}
	if r.Markets.Valid {
		if err := json.Unmarshal([]byte(r.Markets.String), &e.Markets); err != nil {
			return e, fmt.Errorf("%w: the markets in the row of event %s are broken (%w): mend or delete them, then retry this record",
				errBroken, r.EventID, err)
		}
	}
	return e, nil
}

// changesOf returns what the row of an event that is not announced holds: changes alone.
func changesOf(e *tipoff.Event) tipoff.EventPatch {
	return tipoff.EventPatch{ID: e.ID, Status: e.Status, Result: e.Result, Markets: e.Markets, Begin: e.Begin, Version: e.Version}
}
