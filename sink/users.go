package sink

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"tipoff"
)

// userState is a user as the row holds it, or will.
type userState struct {
	user tipoff.User
	origin
	stored, changed bool
}

// apply changes the state as a newer fact says, in the way that the bettors processor
// does. What is of an older version leaves the row as it is.
func (s *userState) apply(f *fact) {
	if s.origin != (origin{}) && !f.newerThan(s.origin) || f.User.Version.OlderThan(s.user.Version) {
		return
	}
	s.origin, s.changed = f.origin, true
	s.user.Replace(*f.User)
}

// users mirrors posts of users: each row holds the user as it stands.
func (t *transaction) users(company int64, facts []fact) error {
	states := map[string]*userState{}
	for i := range facts {
		states[facts[i].ID()] = &userState{}
	}
	var stored []struct {
		UserID   string        `db:"user_id"`
		Version  sql.NullInt64 `db:"version"`
		Source   int64         `db:"source_id"`
		Offset   int64         `db:"source_offset"`
		Appended time.Time     `db:"appended_at"`
	}
	err := t.locked(t.From("users").Prepared(true).Select("user_id", "version", "source_id", "source_offset", "appended_at").
		Where(goqu.Ex{"company_id": company, "user_id": keys(states)})).ScanStructsContext(t.ctx, &stored)
	if err != nil {
		return fmt.Errorf("read users: %w", err)
	}
	for _, row := range stored {
		if s := states[row.UserID]; s != nil { // of the user only the version bears on what comes
			s.stored, s.user.Version = true, versionOf(row.Version)
			s.origin = origin{sourceID: row.Source, offset: row.Offset, appended: sqlTime(row.Appended)}
		}
	}
	for i := range facts {
		states[facts[i].ID()].apply(&facts[i])
	}
	var inserts, updates []row
	for _, s := range states {
		switch r := s.put(userRow(company, &s.user)); {
		case !s.changed:
		case s.stored:
			updates = append(updates, r)
		default:
			inserts = append(inserts, r)
		}
	}
	return errors.Join(t.insert("users", inserts), t.replace("users", updates, "company_id", "user_id"))
}
