package main

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff"
	"tipoff/broker"
	"tipoff/topics"
)

// TestEmbedded_WhatTheDatabaseRefusesAndAnAlteredSchema plays a person with a
// database client of their own.
func TestEmbedded_WhatTheDatabaseRefusesAndAnAlteredSchema(t *testing.T) {
	folder := t.TempDir()
	env := []string{"TIPOFF_DATA=" + folder}
	p := launch(t, env).ready()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "tipoff.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	coupons := func(want int) {
		t.Helper()
		eventually(t, 30*time.Second, func() error {
			var n int
			if err := db.QueryRow("SELECT COUNT(*) FROM coupons").Scan(&n); err != nil || n != want {
				return fmt.Errorf("%d coupons, want %d: %v", n, want, err)
			}
			return nil
		})
	}
	says := func(path, part string) {
		t.Helper()
		eventually(t, 30*time.Second, func() error {
			if _, body, err := get(p.url + path); err != nil || !strings.Contains(body, part) {
				return fmt.Errorf("%s does not say %q: %v\n%s", path, part, err, body)
			}
			return nil
		})
	}
	s := &service{T: t, url: p.url, run: "r"}
	exec("CREATE TRIGGER refuse BEFORE INSERT ON coupons WHEN NEW.coupon_id = 'r-bad' BEGIN SELECT RAISE(ABORT, 'said no'); END")
	for _, name := range []string{"c1", "bad", "c2"} {
		s.post("/v1/coupons", 202, s.coupon(name, "u", "e"))
	}
	coupons(2)
	says("/metrics", "tipoff_sink_rejected_total 1\n")
	says("/metrics", `tipoff_sink_failing{kind="schema-altered"} 0`)

	exec("ALTER TABLE coupons RENAME TO away")
	s.post("/v1/coupons", 202, s.coupon("c3", "u", "e"))
	says("/readyz", "the database does not take rows: its schema lacks")
	says("/metrics", `tipoff_sink_failing{kind="schema-altered"} 1`)
	p.stop() // within its time, in the middle of it
	p = launch(t, env)
	says("/readyz", "undo what was changed by hand")
	exec("ALTER TABLE away RENAME TO coupons")
	p.ready()
	coupons(3)
	p.stop()

	exec("INSERT INTO schema_versions (version_id, is_applied) VALUES (99, 1)")
	p = launch(t, env)
	says("/readyz", "waits for the database: its schema is newer than this program")
	says("/metrics", `tipoff_sink_failing{kind="schema-ahead"} 1`)
	exec("DELETE FROM schema_versions WHERE version_id = 99")
	p.ready()
	p.stop()
}

// TestServices_ALongOutageAndARefusedRow cuts the way to the database for longer than
// Kafka lets a member be silent.
func TestServices_ALongOutageAndARefusedRow(t *testing.T) {
	s := realServices(t)
	u, err := url.Parse(s.database)
	if err != nil {
		t.Fatal(err)
	}
	way := newProxy(t, u.Host)
	u.Host = way.Addr().String()
	env := []string{"KAFKA_BOOTSTRAP_SERVERS=" + s.kafka, "DATABASE_URL=" + u.String()}
	api, sink := launch(t, env, "api").ready(), launch(t, env, "sink").ready()
	if _, err := s.sql.Exec("ALTER TABLE users MODIFY country VARCHAR(5)"); err != nil {
		t.Fatal(err)
	}
	members := func() (ids []string) {
		t.Helper()
		groups, err := s.admin.DescribeConsumerGroups([]string{topics.GroupSink})
		if err != nil {
			t.Fatal(err)
		}
		for id := range groups[0].Members {
			ids = append(ids, id)
		}
		return ids
	}
	unsaved := func(least float64) {
		t.Helper()
		eventually(t, 60*time.Second, func() error {
			_, body, err := get(sink.url + "/metrics")
			_, after, _ := strings.Cut(body, "\ntipoff_sink_oldest_unsaved_seconds ")
			value, _, _ := strings.Cut(after, "\n")
			if age, _ := strconv.ParseFloat(value, 64); err != nil || age < least || !strings.Contains(body, `tipoff_sink_failing{kind="away"} 1`) {
				return fmt.Errorf("unsaved for %q s: %v", value, err)
			}
			return nil
		})
	}
	before := members()
	way.set(true)
	c := &service{T: t, url: api.url, run: "long"}
	users := []tipoff.User{c.user("u1"), c.user("u2"), c.user("u3")}
	users[1].Country = "Portugal"
	c.post("/v1/users", 202, users)
	unsaved(15)
	if after := members(); !slices.Equal(before, after) || len(after) != 1 {
		t.Errorf("members %v before, %v after: the sink lost its session", before, after)
	}
	way.set(false)
	sink.ready()
	eventually(t, 30*time.Second, func() error {
		if n := s.count("SELECT COUNT(*) FROM users"); n != 2 {
			return fmt.Errorf("%d users", n)
		}
		return nil
	})
	if errors := strings.Count(sink.logged(), "level=ERROR"); errors != 1 {
		t.Errorf("%d errors were logged:\n%s", errors, sink.logged())
	}
	cluster := s.connect()
	eventually(t, 30*time.Second, func() error {
		var mu sync.Mutex
		var found []string
		readTable(t, cluster, topics.Rejected, func(u broker.Update) {
			var r topics.Rejection
			if err := json.Unmarshal(u.Value, &r); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, r.By+" "+r.Topic+" "+r.Key)
		})
		if want := []string{"tipoff-sink user_topic default/long-u2"}; !slices.Equal(found, want) {
			return fmt.Errorf("rejected: %q, want %q", found, want)
		}
		return nil
	})
	way.set(true)
	c.post("/v1/users", 202, []tipoff.User{c.user("u4")})
	unsaved(0.1)
	sink.stop() // within its time
	way.set(false)
	launch(t, env, "sink").ready()
	eventually(t, 30*time.Second, func() error {
		if n := s.count("SELECT COUNT(*) FROM users"); n != 3 {
			return fmt.Errorf("%d users", n)
		}
		return nil
	})
}
