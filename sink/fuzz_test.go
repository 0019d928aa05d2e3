package sink

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"tipoff/topics"
)

// FuzzRead checks that no record on a topic makes the sink panic, and that every
// fact it reads makes a row.
func FuzzRead(f *testing.F) {
	for _, seed := range []struct{ topic, key, value, received string }{
		{topics.Users, "default/u1", `{"user_id":"u1","birth_year":1990,"country":"USA","currency":"USD","gender":"male","registration_date":"2023-05-17","extra":{"a":1}}`, "1715947200000000"},
		{topics.Coupons, "default/u1", `{"coupon_id":"c1","user_id":"u1","stake":50.5,"timestamp":"2020-01-01T01:05:01","selections":[{"event_id":"e1","odds":10.0}]}`, ""},
		{topics.Events, "default/e1", `{"event_id":"e1","begin_timestamp":"2026-05-18","end_timestamp":"2026-05-18","country":"USA","league":"L","sport":"S","participants":["A","B"],"markets":[]}`, "x"},
		{topics.Events, "default/e1", `{"patch":true,"event_id":"e1","status":"finished","begin_timestamp":"2026-05-18T00:00:00Z"}`, "-9223372036854775808"},
		{topics.Events, "no key", "\xff", "9223372036854775807"},
	} {
		f.Add(seed.topic, []byte(seed.key), []byte(seed.value), []byte(seed.received))
	}
	f.Fuzz(func(t *testing.T, topic string, key, value, received []byte) {
		m := &sarama.ConsumerMessage{
			Topic: topic, Key: key, Value: value, Offset: 7, Timestamp: time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC),
			Headers: []*sarama.RecordHeader{{Key: []byte(topics.HeaderReceived), Value: received}},
		}
		fact, ok := read(m)
		if !ok {
			return
		}
		if fact.received > fact.appended || len(fact.received) != len(fact.appended) {
			t.Errorf("received %q, appended %q", fact.received, fact.appended)
		}
		switch {
		case fact.User != nil:
			_ = userRow(1, fact.User)
		case fact.Coupon != nil:
			_ = couponRow(1, fact.Coupon)
			for i := range fact.Coupon.Selections {
				_ = selectionRow(1, 1, i, &fact.Coupon.Selections[i])
			}
		default:
			var s eventState
			s.apply(&fact)
			if _, err := s.row(1, "e1"); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzAddress checks that no DATABASE_URL makes us panic, and that what is said of
// one does not tell its password.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{
		"mysql://%s:%s@host:3306/db", "mysql+pymysql://%s:%s@host/db?tls=skip-verify", "mariadb://%s:%s@[::1]:1/db", "mysql://%s:%s@/",
		"mysql://%s:%s@host:port/db", "mysql://%s:%s@host/db?tls=unknown", "mysql:%s:%s", "ftp://%s:%s@x", "", "%%",
	} {
		f.Add(seed, "root", "p@ss:w/rd")
	}
	f.Fuzz(func(t *testing.T, form, user, password string) {
		if strings.HasPrefix(form, "sqlite") { // would make folders
			return
		}
		secret := url.QueryEscape(password) + "-not-to-be-told"
		address := strings.Replace(strings.Replace(form, "%s", url.QueryEscape(user), 1), ":%s@", ":"+secret+"@", 1)
		db, err := Open(address)
		if err != nil {
			if strings.Contains(err.Error(), "-not-to-be-told") {
				t.Errorf("%q: %v", address, err)
			}
			return
		}
		defer db.Close()
		if u, err := url.Parse(address); err == nil && u.User != nil && strings.Contains(u.User.String(), "-not-to-be-told") && strings.Contains(db.Where(), "-not-to-be-told") {
			t.Errorf("%q is told as %q", address, db.Where())
		}
	})
}
