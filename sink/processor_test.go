package sink

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tipoff"
	"tipoff/topics"
)

func TestSink_WaitsForItsSchemaAndLosesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		exec(t, db, "ALTER TABLE users RENAME TO away")
		s := start(t, db)
		users, others := newLog(topics.Users, "u"), newLog(topics.Users, "u")
		others.number = 1
		users.add(user("u1", "A"))
		users.add(topics.Record{Key: "default/u", Value: []byte("malformed")})
		users.add(user("u2", "A"))
		others.add(user("u3", "A"))
		one, two := s.mirror(users), s.mirror(others)
		s.waits(Altered)
		eventually(t, func() error {
			if p := s.Progress(noon.Add(time.Hour)); p.Unsaved < 59*time.Minute || p.Waiting[Altered] != 2 || p.Rows["users"] != 0 {
				return fmt.Errorf("progress = %+v", p)
			}
			return nil
		})
		exec(t, db, "UPDATE schema_versions SET is_applied = 0 WHERE version_id = 3")
		s.waits(Behind)
		if said := s.Progress(noon).Trouble.String(); !strings.Contains(said, "has version 2, this program needs 3") || !strings.Contains(said, "tipoff migrate") {
			t.Errorf("said %q", said)
		}
		exec(t, db, "UPDATE schema_versions SET is_applied = 1 WHERE version_id = 3", "INSERT INTO schema_versions (version_id, is_applied) VALUES (7, 1)")
		s.waits(Ahead)
		if said := s.Progress(noon).Trouble.String(); !strings.Contains(said, "has version 7, this program needs 3") || !strings.Contains(said, "deploy") {
			t.Errorf("said %q", said)
		}
		exec(t, db, "ALTER TABLE away RENAME TO users")
		one()
		two()
		want(t, db, "SELECT user_id FROM users ORDER BY user_id", "u1", "u2", "u3")
		eventually(t, func() error {
			if p := s.Progress(noon); p.Trouble != nil || len(p.Waiting) != 0 || p.Unsaved != 0 || p.Rows["users"] != 3 || len(p.Rejected) != 0 {
				return fmt.Errorf("progress = %+v", p)
			}
			return nil
		})
		if errors, ends := s.lines.count("level=ERROR"), s.lines.count("takes rows again"); errors != 3 || ends != 1 { // one a reason
			t.Errorf("%d errors and %d ends of it logged:\n%s", errors, ends, &s.lines)
		}
	})
}

// refuse makes the database refuse a user of the country, a league of an event, or a
// leg's outcome, that is "long enough to be refused".
const refused = "long enough to be refused"

func refuse(t *testing.T, db *Database) {
	t.Helper()
	for _, column := range []struct{ table, name string }{{"users", "country"}, {"events", "league"}, {"selections", "outcome"}} {
		if db.sqlite {
			for _, when := range []string{"INSERT", "UPDATE"} {
				exec(t, db, fmt.Sprintf("CREATE TRIGGER %[1]s_%[3]s BEFORE %[3]s ON %[1]s WHEN NEW.%[2]s = '%[4]s' BEGIN SELECT RAISE(ABORT, 'too long'); END",
					column.table, column.name, when, refused))
			}
		} else {
			exec(t, db, fmt.Sprintf("ALTER TABLE %s MODIFY %s VARCHAR(10)", column.table, column.name))
		}
	}
}

func TestSink_ARefusedFactIsRejectedAloneAndInOrder(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		refuse(t, db)
		users := newLog(topics.Users, "u")
		bad := []int64{0, 41, 42, 99}
		for i := range int64(100) {
			country := "A"
			if slices.Contains(bad, i) {
				country = refused
			}
			users.add(user(fmt.Sprint("u", i), country))
		}
		s := start(t, db)
		s.rejected.failures = 2
		s.rejected.publishes = func(r topics.Rejection) {
			before := []string{}
			for i := range r.Offset {
				if !slices.Contains(bad, i) {
					before = append(before, fmt.Sprint(i))
				}
			}
			if got := rows(t, db, "SELECT source_offset & 1099511627775 FROM users ORDER BY source_offset"); !slices.Equal(got, before) {
				t.Errorf("when %d is rejected the rows are of %v", r.Offset, got)
			}
		}
		s.mirror(users)()
		if got := s.rejected.offsets(); !slices.Equal(got, bad) {
			t.Errorf("rejected %v, want %v", got, bad)
		}
		r, m := s.rejected.list[1], users.records[41]
		if r.By != topics.GroupSink || r.Topic != m.Topic || r.Key != string(m.Key) || string(r.Value) != string(m.Value) ||
			!r.Received.Equal(noon) || !strings.Contains(r.Reason, "too long") {
			t.Errorf("rejection %+v", r)
		}
		want(t, db, "SELECT COUNT(*) FROM users", "96")
		if p := s.Progress(noon); p.Rejected[topics.Users] != 4 || p.Trouble != nil {
			t.Errorf("progress = %+v", p)
		}
		if s.lines.count("level=WARN") != 1 || s.lines.count("the broker does not take the rejection") != 1 {
			t.Errorf("the log:\n%s", &s.lines)
		}
	})
}

func TestSink_ARefusedFactLeavesNoHalfRowsAndItsFollowersStand(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		refuse(t, db)
		events, coupons := newLog(topics.Events, "e"), newLog(topics.Coupons, "c")
		events.add(event("e1", "ATP", "A"))
		events.add(event("e1", refused, "B"))
		events.add(patch("e1", tipoff.StatusFinished))
		events.add(event("e2", refused, "B"))
		events.add(patch("e2", tipoff.StatusSuspended))
		coupons.add(coupon("c1", "u", 1, "e1"))
		legs := tipoff.Coupon{ID: "c2", UserID: "u", Stake: 1, Timestamp: noon, Selections: []tipoff.Selection{
			{EventID: "e1", Odds: 2, Market: "winner", Outcome: "1"}, {EventID: "e2", Odds: 2, Market: "winner", Outcome: refused},
		}}
		coupons.add(topics.CouponRecord("default", legs, noon))
		coupons.add(coupon("c3", "u", 1, "e2"))
		s := start(t, db)
		s.mirror(events)()
		if got := s.rejected.offsets(); !slices.Equal(got, []int64{1, 3}) {
			t.Errorf("rejected events: %v", got)
		}
		want(t, db, "SELECT event_id, announced, league, status FROM events ORDER BY event_id", "e1 1 ATP finished", "e2 0 NULL suspended")
		want(t, db, "SELECT name FROM event_participants", "A")
		s.mirror(coupons)()
		if got := s.rejected.offsets(); !slices.Equal(got, []int64{1, 3, 1}) {
			t.Errorf("rejected in all: %v", got)
		}
		want(t, db, "SELECT coupon_id FROM coupons ORDER BY id", "c1", "c3")
		want(t, db, "SELECT outcome FROM selections", "1", "1")
	})
}

func TestSink_AUniqueKeyAddedByHandStopsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		exec(t, db, "CREATE UNIQUE INDEX by_hand ON users (country)")
		users := newLog(topics.Users, "u")
		for i, country := range []string{"A", "B", "A", "C"} {
			users.add(user(fmt.Sprint("u", i), country))
		}
		s := start(t, db)
		s.mirror(users)()
		if got := s.rejected.offsets(); !slices.Equal(got, []int64{2}) {
			t.Errorf("rejected %v", got)
		}
		want(t, db, "SELECT user_id FROM users ORDER BY user_id", "u0", "u1", "u3")
	})
}

func TestSink_ABrokenRowCostsOneFact(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		events := newLog(topics.Events, "e")
		events.add(event("e1", "ATP", "A"))
		events.mirror(t, &writer{db: db}, 0, 1)
		exec(t, db, "UPDATE events SET markets = '[{'")
		events.add(patch("e1", tipoff.StatusFinished))
		events.add(event("e2", "ATP", "A"))
		s := start(t, db)
		s.mirror(events)()
		if got := s.rejected.offsets(); !slices.Equal(got, []int64{0, 1}) || !strings.Contains(s.rejected.list[1].Reason, "mend or delete") {
			t.Errorf("rejected %v: %+v", got, s.rejected.list)
		}
		want(t, db, "SELECT event_id FROM events ORDER BY event_id", "e1", "e2")
	})
}

// TestSink_MalformedRecordsStopNothing: the processors reject them, so the sink does
// not do it too.
func TestSink_MalformedRecordsStopNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		s := start(t, db)
		for _, topic := range topics.Facts() {
			l := newLog(topic, topic)
			for _, key := range []string{"", "/", "default", "default/", "/u", "default/u", "\xff/\xff", strings.Repeat("x", 300) + "/u", "default/" + strings.Repeat("y", 300)} {
				for _, value := range []string{"", "null", "[]", "{}", "\xff", `{"patch":true`, `{"patch":true}`, `{"user_id":"\ud800"}`, strings.Repeat("[", 100_000)} {
					l.add(topics.Record{Key: key, Value: []byte(value), Received: noon})
					l.records[len(l.records)-1].Headers[0].Value = []byte("9223372036854775807")
				}
			}
			l.records[0].Value, l.records[0].Key = nil, nil
			switch topic {
			case topics.Users:
				l.add(user("u", "A"))
			case topics.Events:
				l.add(event("e", "A"))
			default:
				l.add(coupon("c", "u", 1, "e"))
			}
			s.mirror(l)()
		}
		if len(s.rejected.list) != 0 {
			t.Errorf("rejected %+v", s.rejected.list)
		}
		want(t, db, "SELECT (SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM events), (SELECT COUNT(*) FROM coupons)", "1 1 1")
	})
}

// TestSink_ARecordThatOnlyMySQLRefuses: nothing bounds a company's name in somebody
// else's record, or the times of its message.
func TestSink_ARecordThatOnlyMySQLRefuses(t *testing.T) {
	db := migrated(t, emptyMySQL(t))
	users := newLog(topics.Users, "u")
	for i, company := range []string{"default", strings.Repeat("x", 60), "\xff", "default", "default"} {
		users.add(user(fmt.Sprint("u", i), "A"))
		users.records[i].Key = []byte(topics.Key(company, fmt.Sprint("u", i)))
	}
	users.records[3].Timestamp, users.records[3].Headers = time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC), nil
	s := start(t, db)
	s.mirror(users)()
	if got := s.rejected.offsets(); !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("rejected %v: %+v", got, s.rejected.list)
	}
	want(t, db, "SELECT user_id FROM users ORDER BY user_id", "u0", "u4")
}

func TestSink_EndsInTimeWhileTheDatabaseFails(t *testing.T) {
	db := migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	exec(t, db, "ALTER TABLE users RENAME TO away")
	users := newLog(topics.Users, "u")
	users.add(user("u", "A"))
	s := start(t, db)
	s.mirror(users)
	s.waits(Altered)
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 5*time.Second { // what the whole process has
		t.Errorf("took %s", took)
	}
	if p := s.Progress(noon); p.Trouble != nil || p.Unsaved != 0 {
		t.Errorf("a partition that is not ours any more still waits: %+v", p)
	}
}
