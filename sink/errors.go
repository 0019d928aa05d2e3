package sink

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Kind is what the failure of a write asks for.
type Kind string

// The kinds of failure. All but Refused are tried again until they are over, and
// the facts wait; most of them want a person.
const (
	// Collided: another transaction was in the way; at once again.
	Collided Kind = "locked"
	// Away: the server is down, restarting, overloaded, or cannot be reached.
	Away Kind = "away"
	// ReadOnly: the server takes no writes, as after a failover.
	ReadOnly Kind = "read-only"
	// Full: a disk, or a bound of the server's own storage, is full.
	Full Kind = "full"
	// Denied: the user, the password or the grants are wrong.
	Denied Kind = "denied"
	// NoDatabase: the server has no database of that name.
	NoDatabase Kind = "no-database"
	// Insecure: the connection cannot be secured as it is asked to be.
	Insecure Kind = "insecure"
	// Damaged: SQLite's file is not what it was.
	Damaged Kind = "damaged"
	// Behind: the schema is older than this program.
	Behind Kind = "schema-behind"
	// Ahead: the schema is newer than this program.
	Ahead Kind = "schema-ahead"
	// Altered: the schema has the right version, but somebody changed it.
	Altered Kind = "schema-altered"
	// Unknown: a failure that this program cannot tell.
	Unknown Kind = "unknown"
	// Unpublished: the database refuses a fact, and the broker does not take the
	// rejection.
	Unpublished Kind = "unpublished"
	// Refused: the database will never take these very rows.
	Refused Kind = "refused"
)

// kinds are the failures that hold facts up, the one that most needs a person first:
// what each is, and what to do about it.
var kinds = []struct {
	kind     Kind
	what, do string
}{
	{Behind, "its schema is older than this program", "run `tipoff migrate`"},
	{Ahead, "its schema is newer than this program", "deploy the newer tipoff"},
	{Altered, "its schema lacks or asks for something that this program does not know", "undo what was changed by hand"},
	{Full, "its disk is full, or a bound of its own", "give it more room"},
	{ReadOnly, "it is read-only", "make it take writes, or let DATABASE_URL name the server that does"},
	{Damaged, "its file is damaged", "stop Tipoff and put a copy of the file in its place, or move it away and go on with an empty one (docs/backup.md)"},
	{NoDatabase, "its server has no database of that name", "mend the name at the end of DATABASE_URL, or create the database"},
	{Denied, "it denies access", "check the user, password and database's name in DATABASE_URL, and the user's grants"},
	{Insecure, "the connection cannot be secured as DATABASE_URL asks", "check ssl_mode and ssl_ca there, and the server's certificate"},
	{Unknown, "it fails in a way that this program does not know", "see the error"},
	{Unpublished, "it refuses a fact, and the broker does not take the rejection", "see that the broker is up"},
	{Away, "it cannot be reached or used", "see that it is up, and that DATABASE_URL has its host and port"},
	{Collided, "another session keeps rows locked", "end that session"},
}

// Kinds lists what can hold facts up.
func Kinds() []Kind {
	list := make([]Kind, len(kinds))
	for i, k := range kinds {
		list[i] = k.kind
	}
	return list
}

// describe says what a kind of failure is and what to do about it, and how urgently
// it needs a person: 0 the most.
func describe(kind Kind) (what, do string, rank int) {
	for i, k := range kinds {
		if k.kind == kind {
			return k.what, k.do, i
		}
	}
	return string(kind), "see the error", len(kinds)
}

// errBroken wraps what makes one fact impossible to write, whatever the database.
var errBroken = errors.New("cannot be written")

// schema stands for the kinds Behind, Ahead and Altered until the versions tell.
const schema Kind = "schema"

// mysqlKinds are the errors of MySQL and MariaDB that are known, by number.
var mysqlKinds = map[Kind][]uint16{
	Collided: {1020, 1062, 1205, 1213, 1412, 1586, 1615, 3101, 3572},
	Away: {1037, 1038, 1040, 1041, 1042, 1043, 1047, 1053, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1206, 1226, 1317, 1927,
		1969, 3024, 3032, 3168, 3169, 4031},
	ReadOnly:   {1223, 1290, 1792, 1836, 1874, 1881},
	Full:       {1021, 1114, 3675},
	Denied:     {1044, 1045, 1129, 1130, 1142, 1143, 1227, 1251, 1370, 1698, 1820, 1862, 3118},
	NoDatabase: {1049},
	Insecure:   {3159},
	schema:     {1051, 1054, 1109, 1136, 1146, 1216, 1347, 1356, 1364, 1452, 1471, 3105},
	Refused: {1048, 1118, 1153, 1162, 1197, 1263, 1264, 1265, 1292, 1300, 1301, 1366, 1367, 1406, 1411, 1525, 1526, 1644, 1690, 3140, 3141,
		3156, 3819, 4025},
}

// sqliteKinds are the primary codes of SQLite that are known.
var sqliteKinds = map[int]Kind{
	sqlite3.SQLITE_BUSY: Collided, sqlite3.SQLITE_LOCKED: Collided, sqlite3.SQLITE_SCHEMA: Collided,
	sqlite3.SQLITE_INTERRUPT: Away, sqlite3.SQLITE_NOMEM: Away, sqlite3.SQLITE_PROTOCOL: Away, sqlite3.SQLITE_IOERR: Away,
	sqlite3.SQLITE_READONLY: ReadOnly,
	sqlite3.SQLITE_FULL:     Full,
	sqlite3.SQLITE_CORRUPT:  Damaged, sqlite3.SQLITE_NOTADB: Damaged,
	sqlite3.SQLITE_PERM: Denied, sqlite3.SQLITE_AUTH: Denied, sqlite3.SQLITE_CANTOPEN: Denied,
	sqlite3.SQLITE_CONSTRAINT: Refused, sqlite3.SQLITE_TOOBIG: Refused, sqlite3.SQLITE_MISMATCH: Refused,
}

var mysqlKind = map[uint16]Kind{}

func init() {
	for kind, numbers := range mysqlKinds {
		for _, number := range numbers {
			mysqlKind[number] = kind
		}
	}
}

// classify tells the kind of a failure from the error alone.
func classify(err error) Kind {
	var s *schemaError
	var m *mysql.MySQLError
	var q *sqlite.Error
	var n net.Error
	var alert *net.OpError
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &s):
		return s.kind
	case errors.Is(err, syscall.ENOSPC):
		return Full
	case errors.Is(err, errBroken), errors.Is(err, mysql.ErrPktTooLarge):
		return Refused
	case errors.As(err, &m):
		return classifyMySQL(m)
	case errors.As(err, &q):
		return classifySQLite(q.Code(), q.Error())
	case errors.As(err, &untrusted), errors.Is(err, mysql.ErrNoTLS), errors.As(err, &alert) && alert.Op == "remote error": // crypto/tls calls it so
		return Insecure
	case errors.As(err, &n), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, mysql.ErrMalformPkt), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Away
	}
	return Unknown
}

func classifyMySQL(e *mysql.MySQLError) Kind {
	if kind, known := mysqlKind[e.Number]; known {
		return kind
	}
	switch {
	case strings.Contains(e.Message, "error 28 ") || strings.Contains(e.Message, "rrcode: 28 "): // no space left on device
		return Full
	case strings.Contains(e.Message, "longer than 'max_allowed_packet'"):
		return Refused
	}
	return Unknown
}

func classifySQLite(code int, message string) Kind {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return Collided
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return schema
	}
	if kind, known := sqliteKinds[code&0xff]; known {
		return kind
	}
	for _, lack := range []string{"no such table", "no such column", "has no column named"} {
		if strings.Contains(message, lack) {
			return schema
		}
	}
	return Unknown
}

// duplicated says that a key was taken already: by a quicker writer, or for good,
// where a table has a unique key that is not of the schema.
func duplicated(err error) bool {
	var m *mysql.MySQLError
	var q *sqlite.Error
	switch {
	case errors.As(err, &m):
		return m.Number == 1062 || m.Number == 1586
	case errors.As(err, &q):
		return q.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || q.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// schemaError is a schema of another version than this program's.
type schemaError struct {
	kind         Kind
	stored, ours int64
	cause        error // nil: the version alone
}

func (e *schemaError) Error() string {
	what, do, _ := describe(e.kind)
	text := fmt.Sprintf("%s (the database has version %d, this program needs %d): %s", what, e.stored, e.ours, do)
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

func (e *schemaError) Unwrap() error { return e.cause }

// failure tells the kind of an error of this database; where the schema is to blame,
// the returned error says the versions.
func (d *Database) failure(ctx context.Context, err error) (Kind, error) {
	kind := classify(err)
	if kind != schema {
		return kind, err
	}
	stored, ours, failed := d.versions(ctx)
	switch {
	case failed != nil && classify(failed) != schema:
		return classify(failed), errors.Join(failed, err)
	case stored < ours:
		kind = Behind
	case stored > ours:
		kind = Ahead
	default:
		kind = Altered
	}
	return kind, &schemaError{kind, stored, ours, err}
}
