package sink

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"tipoff/topics"
)

func TestClassify_KnowsWhatToDo(t *testing.T) {
	number := func(n uint16, message string) error { return &mysql.MySQLError{Number: n, Message: message} }
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{number(1213, "Deadlock found when trying to get lock; try restarting transaction"), Collided},
		{number(1205, "Lock wait timeout exceeded; try restarting transaction"), Collided},
		{number(1062, "Duplicate entry '1-u' for key 'users_public'"), Collided},
		{number(1053, "Server shutdown in progress"), Away},
		{number(1040, "Too many connections"), Away},
		{number(1317, "Query execution was interrupted"), Away},
		{number(3024, "Query execution was interrupted, maximum statement execution time exceeded"), Away},
		{number(1927, "Connection was killed"), Away},
		{number(1290, "The MySQL server is running with the --super-read-only option so it cannot execute this statement"), ReadOnly},
		{number(1836, "Running in read-only mode"), ReadOnly},
		{number(1792, "Cannot execute statement in a READ ONLY transaction."), ReadOnly},
		{number(1021, "Disk full (/tmp/x); waiting for someone to free some space..."), Full},
		{number(1114, "The table 'users' is full"), Full},
		{number(3675, "Create table/tablespace 'users' failed, as disk is full."), Full},
		{number(1030, "Got error 28 - 'No space left on device' from storage engine"), Full},
		{number(1030, "Got error 28 from storage engine"), Full},
		{number(3, "Error writing file '/tmp/ML' (Errcode: 28 - No space left on device)"), Full},
		{number(1026, `Error writing file 'x' (Errcode: 28 "No space left on device")`), Full},
		{number(1030, "Got error 168 from storage engine"), Unknown},
		{number(1045, "Access denied for user 'x'@'y' (using password: YES)"), Denied},
		{number(1049, "Unknown database 'x'"), NoDatabase},
		{number(1142, "INSERT command denied to user"), Denied},
		{number(1146, "Table 'x.users' doesn't exist"), schema},
		{number(1054, "Unknown column 'x' in 'field list'"), schema},
		{number(1364, "Field 'x' doesn't have a default value"), schema},
		{number(1406, "Data too long for column 'country' at row 1"), Refused},
		{number(1366, "Incorrect string value"), Refused},
		{number(1264, "Out of range value"), Refused},
		{number(1292, "Incorrect datetime value"), Refused},
		{number(1048, "Column 'x' cannot be null"), Refused},
		{number(1690, "DOUBLE value is out of range"), Refused},
		{number(1153, "Got a packet bigger than 'max_allowed_packet' bytes"), Refused},
		{number(1105, "Parameter of prepared statement which is set through mysql_send_long_data() is longer than 'max_allowed_packet' bytes"), Refused},
		{number(3140, "Invalid JSON text"), Refused},
		{number(3819, "Check constraint 'x' is violated."), Refused},
		{number(4025, "CONSTRAINT `x` failed for `y`"), Refused},
		{number(1644, "said by a trigger"), Refused},
		{mysql.ErrPktTooLarge, Refused},
		{number(60_000, "of a later version"), Unknown},
		{mysql.ErrInvalidConn, Away},
		{driver.ErrBadConn, Away},
		{io.ErrUnexpectedEOF, Away},
		{context.DeadlineExceeded, Away},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, Away},
		{&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, Full},
		{errors.New("a surprise"), Unknown},
	} {
		if got := classify(fmt.Errorf("write users: %w", c.err)); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

func TestKinds_EachSaysWhatToDo(t *testing.T) {
	for _, kind := range Kinds() {
		if what, do, rank := describe(kind); what == "" || do == "" || rank >= len(Kinds()) {
			t.Errorf("%s: %q, %q, %d", kind, what, do, rank)
		}
	}
}

// TestSink_OutlastsSQLitesFailures makes SQLite fail in earnest.
func TestSink_OutlastsSQLitesFailures(t *testing.T) {
	for _, c := range []struct {
		kind       Kind
		begin, end string
	}{
		{Full, "PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000"}, // 1: as many as there are
		{ReadOnly, "PRAGMA query_only = ON", "PRAGMA query_only = OFF"},
		{Altered, "ALTER TABLE users RENAME COLUMN gender TO g", "ALTER TABLE users RENAME COLUMN g TO gender"},
		{Altered, "ALTER TABLE events RENAME TO away", "ALTER TABLE away RENAME TO events"},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			db := migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
			db.sql.SetMaxOpenConns(1) // which the pragmas are of
			users, events := newLog(topics.Users, "u"), newLog(topics.Events, "e")
			for i := range 2000 {
				users.add(user(fmt.Sprint("u", i), "A"))
				events.add(event(fmt.Sprint("e", i), "A", "x", "y"))
			}
			exec(t, db, c.begin)
			s := start(t, db)
			one, two := s.mirror(users), s.mirror(events)
			s.waits(c.kind)
			exec(t, db, c.end)
			one()
			two()
			want(t, db, "SELECT COUNT(*) FROM users", "2000")
			want(t, db, "SELECT COUNT(*) FROM events", "2000")
			if len(s.rejected.list) != 0 {
				t.Errorf("rejected %d", len(s.rejected.list))
			}
			if errors, ends := s.lines.count("level=ERROR"), s.lines.count("takes rows again"); errors != 1 || ends != 1 {
				t.Errorf("%d errors and %d ends of it logged:\n%s", errors, ends, &s.lines)
			}
		})
	}
}

func TestSink_SaysWhenALockLasts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as a lock must last")
	}
	file := filepath.Join(t.TempDir(), "test.db")
	db := migrated(t, "sqlite:"+file)
	db.sql.SetMaxOpenConns(1)
	exec(t, db, "PRAGMA busy_timeout = 10")
	other, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	users := newLog(topics.Users, "u")
	users.add(user("u", "A"))
	s := start(t, db)
	began := time.Now()
	done := s.mirror(users)
	s.waits(Collided)
	if took := time.Since(began); took < lockedFor {
		t.Errorf("said after %s already", took)
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	done()
	want(t, db, "SELECT user_id FROM users", "u")
}

func TestHealth_SaysEachOutageAndNoMore(t *testing.T) {
	// A database that comes and goes many times within moments is one line.
	db := migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	s := start(t, db)
	p := partition{topic: topics.Users}
	for range 100 {
		s.health.failed(p, Trouble{Kind: Away, Since: noon, Cause: io.EOF})
		s.health.failed(p, Trouble{Kind: ReadOnly, Since: noon, Cause: io.EOF})
		s.health.well(p)
	}
	if errors, ends := s.lines.count("level=ERROR"), s.lines.count("takes rows again"); errors != 2 || ends != 1 {
		t.Errorf("%d errors and %d ends of it logged:\n%s", errors, ends, &s.lines)
	}
	// But one that stays away is said, if later.
	s.health.said[Away] = time.Now().Add(-quiet)
	s.health.failed(p, Trouble{Kind: Away, Since: noon, Cause: io.EOF})
	if s.lines.count("level=ERROR") != 3 {
		t.Errorf("the log:\n%s", &s.lines)
	}
	// What most needs a person is said first.
	s.health.failed(partition{topic: topics.Events}, Trouble{Kind: Full, Since: noon, Cause: io.EOF})
	if _, worst := s.health.state(); worst.Kind != Full {
		t.Errorf("worst = %+v", worst)
	}
}

func TestMigrate_RefusesASchemaThatIsNewer(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		exec(t, db, "INSERT INTO schema_versions (version_id, is_applied) VALUES (99, 1)")
		err := db.Migrate(t.Context())
		if kind, _ := db.failure(t.Context(), err); err == nil || kind != Ahead {
			t.Errorf("%v", err)
		}
		s := start(t, db)
		migrated := make(chan error, 1)
		go func() { migrated <- s.Migrate(s.ctx) }()
		s.waits(Ahead)
		if s.Progress(noon).Migrated {
			t.Error("it is said to be ready")
		}
		exec(t, db, "DELETE FROM schema_versions WHERE version_id = 99")
		if err := <-migrated; err != nil || !s.Progress(noon).Migrated || s.Progress(noon).Trouble != nil {
			t.Errorf("%v, %+v", err, s.Progress(noon))
		}
	})
}

// TestMigrate_GoesOnWhereAnotherDied: MySQL cannot undo what a migration did before
// its process was killed.
func TestMigrate_GoesOnWhereAnotherDied(t *testing.T) {
	for name, died := range map[string][]string{
		"before the first version": {"DELETE FROM schema_versions", "DROP VIEW analytics_turnover", "DROP TABLE users"},
		"in the first migration":   {"DELETE FROM schema_versions WHERE version_id > 0", "DROP TABLE users"},
		"in the second":            {"DELETE FROM schema_versions WHERE version_id > 1", "DROP VIEW analytics_popular"},
		"in the third":             {"DELETE FROM schema_versions WHERE version_id > 2", "ALTER TABLE events DROP COLUMN version, DROP COLUMN covered_digest"},
		"at the beginning":         {"DROP TABLE schema_versions"},
	} {
		t.Run(name, func(t *testing.T) {
			db := migrated(t, emptyMySQL(t))
			exec(t, db, died...)
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			want(t, db, "SELECT COUNT(*) FROM users", "0")
			want(t, db, "SELECT COUNT(*) FROM analytics_popular", "0")
			want(t, db, "SELECT COUNT(*) FROM analytics_turnover", "0")
			want(t, db, "SELECT MAX(version_id) FROM schema_versions", "3")
			want(t, db, "SELECT COUNT(version) + COUNT(covered_digest) FROM events", "0")
		})
	}
}
