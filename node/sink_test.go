package node_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"tipoff/blackbox"
)

// TestNode_WhatTheDatabaseRefusesAndAnAlteredSchema plays a person with a
// database client of their own.
func TestNode_WhatTheDatabaseRefusesAndAnAlteredSchema(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	settings := blackbox.Settings(folder)
	n := blackbox.Start(t, settings)
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
		blackbox.Eventually(t, 30*time.Second, func() error {
			var have int
			if err := db.QueryRow("SELECT COUNT(*) FROM coupons").Scan(&have); err != nil || have != want {
				return fmt.Errorf("%d coupons, want %d: %v", have, want, err)
			}
			return nil
		})
	}
	says := func(path, part string) {
		t.Helper()
		blackbox.Eventually(t, 30*time.Second, func() error {
			if _, body, err := blackbox.Get(n.URL() + path); err != nil || !strings.Contains(body, part) {
				return fmt.Errorf("%s does not say %q: %v\n%s", path, part, err, body)
			}
			return nil
		})
	}
	ready := func() {
		t.Helper()
		if err := n.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "r"}
	exec("CREATE TRIGGER refuse BEFORE INSERT ON coupons WHEN NEW.coupon_id = 'r-bad' BEGIN SELECT RAISE(ABORT, 'said no'); END")
	for _, name := range []string{"c1", "bad", "c2"} {
		s.Post("/v1/coupons", 202, s.Coupon(name, "u", "e"))
	}
	coupons(2)
	says("/metrics", "tipoff_sink_rejected_total 1\n")
	says("/metrics", `tipoff_sink_failing{kind="schema-altered"} 0`)

	exec("ALTER TABLE coupons RENAME TO away")
	s.Post("/v1/coupons", 202, s.Coupon("c3", "u", "e"))
	says("/readyz", "the database does not take rows: its schema lacks")
	says("/metrics", `tipoff_sink_failing{kind="schema-altered"} 1`)
	n.End() // within its time, in the middle of it
	n = blackbox.Begin(t, settings)
	says("/readyz", "undo what was changed by hand")
	exec("ALTER TABLE away RENAME TO coupons")
	ready()
	coupons(3)
	n.End()

	exec("INSERT INTO schema_versions (version_id, is_applied) VALUES (99, 1)")
	n = blackbox.Begin(t, settings)
	says("/readyz", "waits for the database: its schema is newer than this program")
	says("/metrics", `tipoff_sink_failing{kind="schema-ahead"} 1`)
	exec("DELETE FROM schema_versions WHERE version_id = 99")
	ready()
	n.End()
}
