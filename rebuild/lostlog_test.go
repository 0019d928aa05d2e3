package rebuild_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tipoff/blackbox"
	"tipoff/rebuild"
	"tipoff/topics"
)

// cut takes the second half of the logs of the facts' topics, as a power cut does or
// an older copy of the folder.
func (r *rebuilding) cut() {
	r.Helper()
	for _, topic := range topics.Facts() {
		files, err := filepath.Glob(filepath.Join(r.settings.Data, "broker", "log", "partitions", topic+"-*", "*.dat"))
		if err != nil || len(files) == 0 {
			r.Fatalf("topic %s has no files: %v", topic, err)
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err == nil {
				err = os.Truncate(file, info.Size()/2)
			}
			if err != nil {
				r.Fatal(err)
			}
		}
	}
}

func (r *rebuilding) says(path, part string) {
	r.Helper()
	blackbox.Eventually(r.T, 30*time.Second, func() error {
		status, body, err := blackbox.Get(r.node.URL() + path)
		if err == nil && (status != 200 || !strings.Contains(body, part)) {
			err = fmt.Errorf("%s does not say %q: %d %s", path, part, status, body)
		}
		return err
	})
}

// TestRebuild_ALogThatLostItsEnd: what comes after counts, though its offsets were used
// before, what was lost is named, and a rebuild brings it back from the database.
func TestRebuild_ALogThatLostItsEnd(t *testing.T) {
	t.Parallel()
	r := newRebuilding(t)
	s := &blackbox.Service{T: t, URL: r.node.URL(), Prefix: "lost"}
	for i := range 16 { // so that every partition has some
		s.Post("/v1/events", 202, s.Event(fmt.Sprint("e", i), "A"))
	}
	r.Settled(topics.TableSet{})
	r.waitMirrored("SELECT COUNT(*) FROM events WHERE event_id LIKE 'lost-%'", 16)
	r.waitMirrored("SELECT COUNT(*) FROM coupons", 401)
	r.node.End()
	r.cut()
	r.restart()
	s.URL = r.node.URL()
	r.says("/readyz", topics.Events+"/")
	r.says("/readyz", "records from offset")
	r.says("/metrics", `tipoff_log_lost_records{partition="0",topic="`+topics.Coupons+`"}`)
	for i := range 15 {
		if status, body, _ := s.Send("PATCH", "/v1/events/"+s.ID(fmt.Sprint("e", i)), `{"status":"cancelled"}`); status != 202 {
			t.Fatalf("%d %s", status, body)
		}
	}
	s.WantRecommended("nobody", "e15")
	r.waitMirrored("SELECT COUNT(*) FROM events WHERE event_id LIKE 'lost-%' AND status = 'cancelled'", 15)
	for i := range 20 {
		s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("c", i), fmt.Sprint("u", i), "e15"))
		s.Post("/v1/users", 202, s.User(fmt.Sprint("u", i)))
	}
	r.Counted(20)
	for i := range 20 {
		s.WantBets(fmt.Sprint("u", i), 1)
	}
	r.waitMirrored("SELECT COUNT(*) FROM coupons WHERE user_id LIKE 'lost-%'", 20)
	before := r.Settled(topics.TableSet{})
	if out := r.Rebuilt(rebuild.Rebuild{}); !strings.Contains(out, "the database holds facts that topic") {
		t.Errorf("said %s", out)
	}
	if err := before.Differ(r.Settled(r.Serving())); err != nil {
		t.Errorf("after the rebuild the tables differ: %v", err)
	}
	r.says("/readyz", "whole")
	r.restart()
	r.says("/readyz", "whole")
}

// TestRebuild_AnOlderCopyOfTheBroker: its log uses places again that rows of the database
// have, under the same leader epoch; what comes counts in the database too.
func TestRebuild_AnOlderCopyOfTheBroker(t *testing.T) {
	t.Parallel()
	r := newRebuilding(t)
	s := &blackbox.Service{T: t, URL: r.node.URL(), Prefix: "old"}
	for i := range 16 {
		s.Post("/v1/events", 202, s.Event(fmt.Sprint("e", i), "A"))
	}
	r.waitMirrored("SELECT COUNT(*) FROM events WHERE event_id LIKE 'old-%'", 16)
	r.node.End()
	folder, copied := filepath.Join(r.settings.Data, "broker"), filepath.Join(t.TempDir(), "broker")
	if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	r.restart()
	s.URL = r.node.URL()
	change := func(status string) {
		for i := range 16 {
			if got, body, _ := s.Send("PATCH", "/v1/events/"+s.ID(fmt.Sprint("e", i)), `{"status":"`+status+`"}`); got != 202 {
				t.Fatalf("%d %s", got, body)
			}
		}
		r.waitMirrored("SELECT COUNT(*) FROM events WHERE event_id LIKE 'old-%' AND status = '"+status+"'", 16)
	}
	change("suspended")
	change("finished")
	r.node.End()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(folder, os.DirFS(copied)); err != nil {
		t.Fatal(err)
	}
	r.restart()
	s.URL = r.node.URL()
	r.says("/readyz", "records from offset")
	change("open")
	change("cancelled")
}

// waitMirrored waits until a query of the database counts so many.
func (r *rebuilding) waitMirrored(query string, want int) {
	r.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(r.settings.Data, "tipoff.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		r.Fatal(err)
	}
	defer db.Close()
	blackbox.Eventually(r.T, 30*time.Second, func() error {
		var n int
		if err := db.QueryRow(query).Scan(&n); err != nil || n != want {
			return fmt.Errorf("%d, want %d: %v", n, want, err)
		}
		return nil
	})
}
