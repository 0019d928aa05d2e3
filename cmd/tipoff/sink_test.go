package main

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
