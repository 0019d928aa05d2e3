// Package sink mirrors every user, event and coupon into an SQL database for
// analysts, and reads the past back for the API.
//
// What arrives is the fact topics, through a consumer group of its own. What
// leaves is rows: a coupon with its selections in one transaction, the newest
// version of each user and event. The database commits first, the broker's
// offsets after, and every write may be repeated without changing anything. While
// the database is down the facts wait on the broker.
//
// The same code writes MySQL 8, MariaDB and SQLite.
package sink

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/doug-martin/goqu/v9"
	goqumysql "github.com/doug-martin/goqu/v9/dialect/mysql"
	goqusqlite "github.com/doug-martin/goqu/v9/dialect/sqlite3"
	"github.com/go-sql-driver/mysql"
	_ "modernc.org/sqlite" // registers its driver
)

//go:embed migrations
var migrations embed.FS

// The dialects are goqu's, but for their INSERT IGNORE: that would cut and drop data where a
// plain INSERT says what is wrong.
const (
	dialectMySQL  = "tipoff-mysql"
	dialectSQLite = "tipoff-sqlite"
)

func init() {
	for name, options := range map[string]*goqu.SQLDialectOptions{dialectMySQL: goqumysql.DialectOptions(), dialectSQLite: goqusqlite.DialectOptions()} {
		options.SupportsInsertIgnoreSyntax = false
		goqu.RegisterDialect(name, options)
	}
}

// Database is the mirror.
type Database struct {
	sql    *sql.DB
	goqu   *goqu.Database
	sqlite bool
	turn   chan struct{} // holds whoever writes to SQLite
	where  string        // the address without its password
}

// maxConnections bounds the connections of one process to the database.
const maxConnections = 16

// How many seconds a statement waits for what another session has locked, before its
// batch gives up its own locks and begins again.
const (
	rowPatience   = "3"
	tablePatience = "20" // an ALTER TABLE; less than a connection's ReadTimeout
)

// Open prepares a connection to mysql://user:password@host:port/database (or
// mysql+driver://..., as SQLAlchemy writes it) or sqlite:path; its parameters say
// whether TLS is used, under the names of MySQL and of SQLAlchemy's drivers. It does not
// reach the server yet.
func Open(address string) (*Database, error) {
	if path, is := SQLitePath(address); is {
		return OpenSQLite(path, false)
	}
	scheme, _, ok := strings.Cut(address, ":")
	scheme, _, _ = strings.Cut(scheme, "+")
	if ok && (scheme == "mysql" || scheme == "mariadb") {
		return openMySQL(address)
	}
	return nil, errForm
}

// SQLitePath is the file of an address that is SQLite's.
func SQLitePath(address string) (path string, is bool) {
	scheme, rest, ok := strings.Cut(address, ":")
	if scheme, _, _ = strings.Cut(scheme, "+"); !ok || scheme != "sqlite" {
		return "", false
	}
	return strings.TrimPrefix(rest, "///"), true
}

func openMySQL(address string) (*Database, error) {
	c, err := readMySQL(address)
	if err != nil {
		return nil, err
	}
	c.Collation = "utf8mb4_bin"
	c.ParseTime, c.Loc = true, time.UTC
	c.InterpolateParams = true // one round trip a statement
	c.Timeout, c.ReadTimeout, c.WriteTimeout = 5*time.Second, 30*time.Second, 30*time.Second
	c.MaxAllowedPacket = 0        // as the server says
	c.Logger = &mysql.NopLogger{} // what it would log is in the errors too
	c.Params = map[string]string{
		"sql_mode":                 "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
		"time_zone":                "'+00:00'",
		"innodb_lock_wait_timeout": rowPatience,
		"lock_wait_timeout":        tablePatience,
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	db.SetConnMaxLifetime(30 * time.Minute)
	return &Database{sql: db, goqu: goqu.New(dialectMySQL, db), where: "mysql://" + c.Addr + "/" + c.DBName}, nil
}

// inURI writes a path as SQLite reads it from a URI: another file would be opened where
// it ends or changes at one of these.
var inURI = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")

// OpenSQLite prepares a database in a file. With synced each transaction is on the disk
// before it counts as committed.
func OpenSQLite(path string, synced bool) (*Database, error) {
	if err := keepPrivate(path); err != nil {
		return nil, err
	}
	synchronous := "synchronous(NORMAL)"
	if synced {
		synchronous = "synchronous(FULL)"
	}
	options := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", synchronous,
		"cache_size(-16384)",        // 16 MiB a connection: indexes are written all over
		"wal_autocheckpoint(16000)", // pages, 62 MiB: of those that change again before that, only the last is copied
		"temp_store(MEMORY)",
	}}
	db, err := sql.Open("sqlite", "file:"+inURI.Replace(path)+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	db.SetMaxOpenConns(sqliteConnections)
	db.SetMaxIdleConns(sqliteConnections) // with what each has cached
	return &Database{sql: db, goqu: goqu.New(dialectSQLite, db), sqlite: true, turn: make(chan struct{}, 1), where: "sqlite:" + path}, nil
}

// sqliteConnections is one that writes, and some for those who read.
const sqliteConnections = 4

// writeTurn waits until nobody else in this process writes to SQLite, which has one writer
// at a time: whoever finds it taken there sleeps and asks again, and what the last writer
// has cached is of no use to the next one on another connection. MySQL takes all at once.
func (d *Database) writeTurn(ctx context.Context) (end func(), err error) {
	if !d.sqlite {
		return func() {}, nil
	}
	select {
	case d.turn <- struct{}{}:
		return func() { <-d.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// keepPrivate creates the file that SQLite is to use, for its owner alone, and takes one
// that is there already away from other users of the machine. SQLite gives its further
// files the same mode.
func keepPrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create the database's folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 { // of an older version
		if err := file.Chmod(mode &^ 0o007); err != nil {
			return fmt.Errorf("close the database's file to other users: %w; run Tipoff as the user whom the file belongs to", err)
		}
	}
	return nil
}

// Where is the database's address, without its password.
func (d *Database) Where() string { return d.where }

// Close ends the connections.
func (d *Database) Close() error { return d.sql.Close() }

// redial drops the idle connections: after a failover they lead to the old server.
func (d *Database) redial() {
	if d.sqlite {
		return
	}
	d.sql.SetMaxIdleConns(0)
	d.sql.SetMaxIdleConns(maxConnections)
}
