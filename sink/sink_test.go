package sink

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"tipoff"
	"tipoff/topics"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

// onEach runs a test on SQLite, and on the server that TIPOFF_TEST_DATABASE
// names, each time in an empty database.
func onEach(t *testing.T, test func(t *testing.T, db *Database)) {
	t.Run("SQLite", func(t *testing.T) {
		test(t, migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db")))
	})
	t.Run("MySQL", func(t *testing.T) { test(t, migrated(t, emptyMySQL(t))) })
}

// emptyMySQL is the address of a database made for this test.
func emptyMySQL(t *testing.T) string {
	address := os.Getenv("TIPOFF_TEST_DATABASE")
	if address == "" {
		if os.Getenv("TIPOFF_TEST_SERVICES") == "required" {
			t.Fatal("TIPOFF_TEST_DATABASE is not set, but real services are required")
		}
		t.Skip("no MySQL: set TIPOFF_TEST_DATABASE=mysql://user:password@host:3306/database (make services starts one)")
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("tipoff_test_%x", rand.Uint64())
	admin, err := Open(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.sql.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := admin.sql.Exec("DROP DATABASE " + name)
		if err := errors.Join(err, admin.Close()); err != nil {
			t.Error(err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

func migrated(t *testing.T, address string) *Database {
	t.Helper()
	db, err := Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// log is one partition of a topic for tests: records with offsets.
type log struct {
	partition
	records []*sarama.ConsumerMessage
}

func newLog(topic, id string) *log { return &log{partition: partition{topic, id, 0}} }

func (l *log) add(r topics.Record) {
	at := noon.Add(time.Duration(len(l.records)) * time.Millisecond)
	l.records = append(l.records, &sarama.ConsumerMessage{
		Topic: l.topic, Partition: l.number, Offset: int64(len(l.records)), Key: []byte(r.Key), Value: r.Value, Timestamp: at,
		Headers: []*sarama.RecordHeader{{Key: []byte(topics.HeaderReceived), Value: topics.FormatReceived(r.Received)}},
	})
}

func (l *log) mirror(t *testing.T, w *writer, from, to int) {
	t.Helper()
	var facts []fact
	for _, m := range l.records[from:to] {
		if f, ok := read(m); ok {
			facts = append(facts, f)
		}
	}
	if len(facts) == 0 {
		return
	}
	if _, err := w.write(t.Context(), l.partition, facts); err != nil {
		t.Fatal(err)
	}
}

func user(id, country string) topics.Record {
	return topics.UserRecord("default", tipoff.User{
		ID: id, BirthYear: 1990, Country: country, Currency: "USD", Gender: "male", RegistrationDate: noon, Extra: []byte(`{"a":"ü\""}`),
	}, noon)
}

func event(id, league string, teams ...string) topics.Record {
	return topics.EventRecord("default", tipoff.Event{
		ID: id, Begin: noon.Add(3 * time.Hour), End: noon.Add(5 * time.Hour), Country: "USA", League: league, Sport: "Tennis",
		Participants: append([]string{}, teams...), Status: tipoff.StatusOpen,
		Markets: []tipoff.Market{{Market: "winner", Outcomes: []tipoff.Outcome{{Outcome: "1", Odds: 1.85}}}},
	}, noon)
}

func patch(id, status string) topics.Record {
	return topics.PatchRecord("default", tipoff.EventPatch{ID: id, Status: status}, noon)
}

func coupon(id, user string, stake float64, events ...string) topics.Record {
	c := tipoff.Coupon{ID: id, UserID: user, Stake: stake, Timestamp: noon}
	for _, e := range events {
		c.Selections = append(c.Selections, tipoff.Selection{EventID: e, Odds: 1.5, Market: "winner", Outcome: "1"})
	}
	return topics.CouponRecord("default", c, noon)
}

// rows is a query's answer, each row as text.
func rows(t *testing.T, db *Database, query string) []string {
	t.Helper()
	found, err := db.sql.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for found.Next() {
		values := make([]sql.NullString, len(columns))
		pointers := make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := found.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		words := make([]string, len(columns))
		for i, v := range values {
			if words[i] = v.String; !v.Valid {
				words[i] = "NULL"
			}
		}
		list = append(list, strings.Join(words, " "))
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func want(t *testing.T, db *Database, query string, expected ...string) {
	t.Helper()
	if got := rows(t, db, query); !slices.Equal(got, expected) {
		t.Errorf("%s:\n got %q\nwant %q", query, got, expected)
	}
}

func TestMigrate_MayBeCalledAgain(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		if err := db.Migrate(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWrite_MirrorsEveryField(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		users, events, coupons := newLog(topics.Users, "u"), newLog(topics.Events, "e"), newLog(topics.Coupons, "c")
		users.add(user("u1", "Perú \U0001F3BE"))
		users.mirror(t, w, 0, 1)
		events.add(event("e1", "ATP", "Ana", "Eva"))
		events.mirror(t, w, 0, 1)
		coupons.add(coupon("c1", "u1", 0.1, "e1", "e2"))
		coupons.mirror(t, w, 0, 1)
		want(t, db, "SELECT user_id, birth_year, country, currency, gender, name, extra, source_offset FROM users",
			`u1 1990 Perú `+"\U0001F3BE"+` USD male NULL {"a":"ü\""} 0`)
		want(t, db, "SELECT event_id, announced, sport, league, country, home, status, result, markets FROM events",
			`e1 1 Tennis ATP USA NULL open NULL [{"market":"winner","outcomes":[{"outcome":"1","odds":1.85}]}]`)
		want(t, db, "SELECT position, name FROM event_participants ORDER BY position", "0 Ana", "1 Eva")
		want(t, db, "SELECT coupon_id, user_id, stake, legs FROM coupons", "c1 u1 0.1 2")
		want(t, db, "SELECT position, event_id, odds, market, outcome FROM selections ORDER BY position", "0 e1 1.5 winner 1", "1 e2 1.5 winner 1")
		want(t, db, "SELECT name FROM companies", "default")
		a := NewArchive(db, time.Second)
		e, err := a.Event(t.Context(), "default", "e1")
		posted, _ := tipoff.DecodeEvent(event("e1", "ATP", "Ana", "Eva").Value, tipoff.Reading{Now: noon})
		if err != nil || !reflect.DeepEqual(e, posted) {
			t.Errorf("archive: %+v, %v; want %+v", e, err, posted)
		}
		if _, err := a.Event(t.Context(), "default", "none"); !errors.Is(err, tipoff.ErrNotFound) {
			t.Errorf("archive: %v", err)
		}
		if _, err := a.Event(t.Context(), "other", "e1"); !errors.Is(err, tipoff.ErrNotFound) {
			t.Errorf("another company's event: %v", err)
		}
	})
}

func TestWrite_HoldsEveryTimeOfTheContract(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		coupons := newLog(topics.Coupons, "c")
		for i, at := range []string{"0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2026-05-17T11:59:59.123456Z"} {
			when, err := tipoff.ParseTime(at)
			if err != nil {
				t.Fatal(err)
			}
			coupons.add(topics.CouponRecord("default", tipoff.Coupon{
				ID: fmt.Sprint("c", i), UserID: "u", Stake: 1, Timestamp: when, Selections: []tipoff.Selection{{EventID: "e", Odds: 1}},
			}, noon))
		}
		coupons.mirror(t, w, 0, 3)
		got, _, err := NewArchive(db, time.Second).Coupons(t.Context(), "default", "u", "", 10)
		if err != nil || len(got) != 3 {
			t.Fatalf("%v, %v", got, err)
		}
		for i, at := range []string{"2026-05-17T11:59:59.123456Z", "1969-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z"} {
			if s := got[i].Timestamp.Format(time.RFC3339Nano); s != at {
				t.Errorf("read back %s, want %s", s, at)
			}
		}
	})
}

func TestWrite_NewerVersionsWinAndLateWritesUndoNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		users := newLog(topics.Users, "u")
		for _, country := range []string{"A", "B", "C"} {
			users.add(user("u1", country))
		}
		users.mirror(t, w, 0, 2)
		want(t, db, "SELECT country FROM users", "B")
		users.mirror(t, w, 0, 3)
		want(t, db, "SELECT country FROM users", "C")
		users.mirror(t, w, 0, 1) // a writer that had lost the partition
		want(t, db, "SELECT country, source_offset FROM users", "C 2")

		// A cluster created again begins at offset 0: there the append time tells.
		rebuilt := newLog(topics.Users, "u2")
		rebuilt.add(user("u1", "D"))
		rebuilt.records[0].Timestamp = noon.Add(time.Hour)
		rebuilt.mirror(t, w, 0, 1)
		want(t, db, "SELECT country, source_offset FROM users", "D 0")
		users.mirror(t, w, 2, 3)
		want(t, db, "SELECT country, source_offset FROM users", "D 0")
	})
}

func TestWrite_ChangesWaitForTheirEvent(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		events := newLog(topics.Events, "e")
		events.add(patch("e1", tipoff.StatusSuspended))
		events.add(event("e1", "ATP", "A", "B"))
		events.add(patch("e1", tipoff.StatusFinished))
		events.add(event("e1", "WTA", "C"))
		state := "SELECT announced, league, status FROM events"
		for end, expected := range []string{"", "0 NULL suspended", "1 ATP suspended", "1 ATP finished", "1 WTA open"} {
			if end > 0 {
				events.mirror(t, w, end-1, end)
				want(t, db, state, expected)
				events.mirror(t, w, 0, end) // delivered again, all of it
				want(t, db, state, expected)
			}
		}
		want(t, db, "SELECT name FROM event_participants", "C")
	})
}

func TestWrite_TheFirstCouponStands(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		coupons := newLog(topics.Coupons, "c")
		coupons.add(coupon("c1", "u1", 10, "e1"))
		coupons.add(coupon("c1", "u1", 99, "e1", "e2", "e3")) // in the same batch
		coupons.add(coupon("c1", "u2", 20, "e1"))             // another user's
		coupons.mirror(t, w, 0, 3)
		coupons.add(coupon("c1", "u1", 77, "e4", "e5"))
		coupons.mirror(t, w, 3, 4)
		coupons.mirror(t, w, 1, 4)
		want(t, db, "SELECT user_id, stake, legs FROM coupons ORDER BY user_id", "u1 10 1", "u2 20 1")
		want(t, db, "SELECT c.user_id, s.event_id FROM selections s JOIN coupons c ON c.id = s.coupon_pk ORDER BY c.user_id", "u1 e1", "u2 e1")
	})
}

// TestWrite_MayBeRepeatedInAnyPieces delivers logs in random pieces, some of them
// again and again, and wants the same rows as one clean run.
func TestWrite_MayBeRepeatedInAnyPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	users, events, coupons := newLog(topics.Users, "u"), newLog(topics.Events, "e"), newLog(topics.Coupons, "c")
	for i := range 120 {
		users.add(user(fmt.Sprint("u", random.IntN(20)), fmt.Sprint("country", i)))
		if id := fmt.Sprint("e", random.IntN(20)); random.IntN(3) == 0 {
			events.add(patch(id, tipoff.StatusFinished))
		} else {
			events.add(event(id, fmt.Sprint("league", i), fmt.Sprint("t", i), "x"))
		}
		coupons.add(coupon(fmt.Sprint("c", random.IntN(60)), fmt.Sprint("u", random.IntN(3)), float64(i+1), fmt.Sprint("e", i), "e"))
	}
	coupons.add(topics.Record{Key: "default/u", Value: []byte("malformed")})
	all := []*log{users, events, coupons}
	queries := []string{
		"SELECT user_id, country, source_offset FROM users ORDER BY user_id",
		"SELECT event_id, announced, league, status, source_offset FROM events ORDER BY event_id",
		"SELECT e.event_id, p.position, p.name FROM event_participants p JOIN events e ON e.id = p.event_pk ORDER BY e.event_id, p.position",
		"SELECT user_id, coupon_id, stake, legs, source_offset FROM coupons ORDER BY user_id, coupon_id",
		"SELECT c.user_id, c.coupon_id, s.position, s.event_id FROM selections s JOIN coupons c ON c.id = s.coupon_pk ORDER BY c.user_id, c.coupon_id, s.position",
	}
	clean := migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "clean.db"))
	for _, l := range all {
		l.mirror(t, &writer{db: clean}, 0, len(l.records))
	}
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		for _, l := range all {
			for committed := 0; committed < len(l.records); {
				end := min(len(l.records), committed+1+random.IntN(40))
				l.mirror(t, w, committed, end)
				if random.IntN(2) == 0 { // the offsets were committed too
					committed = end
				}
			}
		}
		for _, q := range queries {
			want(t, db, q, rows(t, clean, q)...)
		}
	})
}

func TestOpen_TakesTheAddressesOfTheOldServiceAndHidesPasswords(t *testing.T) {
	for address, where := range map[string]string{
		"mysql://root:rootpass@mysql_db/systems_programming": "mysql://mysql_db:3306/systems_programming",
		"mysql+pymysql://root:p%40ss@db:3307/x":              "mysql://db:3307/x",
		"mysql+mysqlconnector://root@db/x?charset=utf8mb4":   "mysql://db:3306/x",
		"sqlite:" + filepath.Join(t.TempDir(), "a.db"):       "",
		"sqlite:///" + filepath.Join(t.TempDir(), "b.db"):    "",
		"mysql://u:secret@[::1]:3306/x":                      "mysql://[::1]:3306/x",
	} {
		db, err := Open(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if where != "" && db.Where() != where {
			t.Errorf("%s: where = %s, want %s", address, db.Where(), where)
		}
		db.Close()
	}
	for _, address := range []string{"", "mysql", "postgres://u:secret@h/x", "mysql://u:secret@h", "mysql://u:sec ret@%zz/x"} {
		if _, err := Open(address); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
