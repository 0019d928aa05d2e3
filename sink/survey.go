package sink

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/doug-martin/goqu/v9"
)

// ErrNoFile says that SQLite's file is not there yet.
var ErrNoFile = errors.New("there is no file yet")

// Survey is what a database says of itself, read without changing anything.
type Survey struct {
	Server   string // "SQLite" or "MySQL", or as MariaDB calls itself, with its version
	Stored   int64  // the schema's version; 0: there is none
	Needed   int64  // the version that this program needs
	ReadOnly bool   // the server takes no writes
	// Ahead is how far the database's clock is ahead of this machine's, within Within; of
	// SQLite, which has this machine's, both are 0.
	Ahead, Within time.Duration
	// Durable are the server's settings that decide whether a commit outlasts a power cut,
	// where there are any.
	Durable map[string]string
}

// OpenToRead prepares a connection to the address, as [Open] does, by which nothing can be
// created or changed in SQLite; a file that is not there is [ErrNoFile].
func OpenToRead(address string) (*Database, error) {
	scheme, rest, ok := strings.Cut(address, ":")
	if !ok || scheme != "sqlite" {
		return Open(address)
	}
	return OpenSQLiteToRead(strings.TrimPrefix(rest, "///"))
}

// OpenSQLiteToRead prepares a database in a file for reading alone. One that nobody has
// open has no write-ahead log beside it, and then SQLite makes no files either.
func OpenSQLiteToRead(path string) (*Database, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, ErrNoFile)
	} else if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	options := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}}
	if _, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		options.Set("immutable", "1")
	}
	db, err := sql.Open("sqlite", "file:"+inURI.Replace(path)+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	db.SetMaxOpenConns(1)
	return &Database{sql: db, goqu: goqu.New(dialectSQLite, db), sqlite: true, where: "sqlite:" + path}, nil
}

// IsFile says whether the database is SQLite's file on this machine.
func (d *Database) IsFile() bool { return d.sqlite }

// Diagnose says what an error of this database means, and what to do about it.
func (d *Database) Diagnose(err error) (what, do string) {
	what, do, _ = describe(classify(err))
	return what, do
}

// Survey reads what the database says of itself.
func (d *Database) Survey(ctx context.Context) (s Survey, err error) {
	if d.sqlite {
		if err := d.sql.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&s.Server); err != nil {
			return s, err
		}
		s.Server = "SQLite " + s.Server
	} else if err := d.surveyServer(ctx, &s); err != nil {
		return s, err
	}
	s.Stored, s.Needed, err = d.versions(ctx)
	return s, err
}

// durableSettings are those of MySQL and MariaDB that decide whether a commit outlasts
// a power cut.
var durableSettings = []string{"innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin", "innodb_doublewrite"}

func (d *Database) surveyServer(ctx context.Context, s *Survey) error {
	var version string
	var readOnly bool
	if err := d.sql.QueryRowContext(ctx, "SELECT VERSION(), @@global.read_only").Scan(&version, &readOnly); err != nil {
		return err
	}
	s.Server, s.ReadOnly = "MySQL "+version, readOnly
	if strings.Contains(version, "MariaDB") {
		s.Server = version
	}
	before := time.Now()
	var now time.Time
	if err := d.sql.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP(6)").Scan(&now); err != nil {
		return err
	}
	s.Within = time.Since(before) / 2
	s.Ahead = now.Sub(before.Add(s.Within))
	s.Durable = map[string]string{}
	for _, name := range durableSettings {
		var value string
		err := d.sql.QueryRowContext(ctx, "SELECT @@global."+name).Scan(&value)
		if err != nil {
			continue // a server that has no such setting
		}
		s.Durable[name] = value
	}
	return nil
}
