package main

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"tipoff/blackbox"
	"tipoff/doctor"
	"tipoff/topics"
)

func TestDoctor_AFolderThatCannotBeReadIsNotLookedAt(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "broker", "log", "topics.json"), 0o700); err != nil { // a folder where a file should be
		t.Fatal(err)
	}
	r := examined(t, "--data="+folder)
	wantCheck(t, r, "broker", "reachable", doctor.Unknown, "topics.json")
	if r.Exit != doctor.ExitUnknown {
		t.Errorf("status %d", r.Exit)
	}
	if os.Getuid() == 0 {
		return // who may read everything
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.MkdirAll(filepath.Join(closed, "broker"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	if r := examined(t, "--data="+closed); r.Exit != doctor.ExitUnknown {
		t.Errorf("status %d, %+v", r.Exit, r.Checks)
	}
}

// contents are the sums of all files in a folder, but for the index of SQLite's log,
// which is no data.
func contents(t *testing.T, folder string) map[string][32]byte {
	t.Helper()
	all := map[string][32]byte{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "-shm") {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = sha256.Sum256(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// facts posts two events and ten coupons, and waits until the database has them.
func facts(t *testing.T, p *process) {
	t.Helper()
	s := &blackbox.Service{T: t, URL: p.url, Prefix: "doctor"}
	s.Post("/v1/events", 202, s.Event("e0", "A"))
	s.Post("/v1/events", 202, s.Event("e1", "A"))
	for i := range 10 {
		s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("c", i), "u", "e0", "e1"))
	}
	s.WantBets("u", 20)
	s.Eventually(func() error {
		var list struct {
			Items []struct{} `json:"coupons"`
		}
		err := s.Get("/v1/users/"+s.ID("u")+"/coupons", &list)
		if err == nil && len(list.Items) < 10 {
			err = fmt.Errorf("the database has %d coupons", len(list.Items))
		}
		return err
	})
}

func TestDoctor_AsksTheProcessThatHoldsTheFolderAndChangesNothingOfAStoppedOne(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := launch(t, []string{"TIPOFF_DATA=" + folder}).ready()
	facts(t, p)
	at := []string{"--data=" + folder, "--watch=0"}
	r := examined(t, append(at, "--addr="+strings.TrimPrefix(p.url, "http://"))...)
	wantCheck(t, r, "broker", "reachable", doctor.OK, "a process holds")
	wantCheck(t, r, "process", "ready", doctor.OK, "is ready")
	wantCheck(t, r, "groups", topics.GroupSink, doctor.OK, "1 member")
	wantCheck(t, r, "versions", "tables", doctor.OK)
	if r.Count(doctor.Wrong)+r.Count(doctor.Unknown) > 0 {
		t.Errorf("%+v", r.Checks)
	}
	wantCheck(t, examined(t, at...), "process", "ready", doctor.Warning, "TIPOFF_ADDR")
	for _, end := range []func(*process){(*process).stop, (*process).kill} {
		end(p)
		before := contents(t, folder)
		r = examined(t, at...)
		wantCheck(t, r, "broker", "folder", doctor.OK, "no process holds")
		wantCheck(t, r, "topics", "settings", doctor.OK)
		wantCheck(t, r, "positions", "log ends", doctor.OK)
		wantCheck(t, r, "positions", "database", doctor.OK, "records that the logs have")
		if r.Count(doctor.Wrong)+r.Count(doctor.Unknown) > 0 {
			t.Errorf("%+v", r.Checks)
		}
		if after := contents(t, folder); !maps.Equal(before, after) {
			t.Errorf("files changed: %v, %v", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
		}
		p = launch(t, []string{"TIPOFF_DATA=" + folder}).ready()
	}
}

// logWithRecords is the file of the log of a topic that holds records.
func logWithRecords(t *testing.T, folder, topic string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "broker", "log", "partitions", topic+"-*", "*.dat"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Size() > 100 {
			return file
		}
	}
	t.Fatalf("no log of %s holds records", topic)
	return ""
}

func TestDoctor_TheCommandItNamesMendsALogThatWasCutOff(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := launch(t, []string{"TIPOFF_DATA=" + folder}).ready()
	facts(t, p)
	p.stop()
	at := []string{"--data=" + folder, "--watch=0"}
	log := logWithRecords(t, folder, topics.Coupons)
	if err := os.Truncate(log, 0); err != nil {
		t.Fatal(err)
	}
	before := contents(t, folder)
	r := examined(t, at...)
	lost := wantCheck(t, r, "positions", "log ends", doctor.Wrong, "coupon_topic/", "lost 10 records from offset 0 on", "tipoff rebuild")
	wantCheck(t, r, "positions", "database", doctor.Wrong, "coupon_topic/")
	if !maps.Equal(before, contents(t, folder)) {
		t.Error("files changed")
	}
	lost.Advice[0].Command = append(lost.Advice[0].Command, "--addr="+freeAddress(t), "--grace=0s")
	follow(t, lost)
	r = examined(t, at...)
	wantCheck(t, r, "positions", "log ends", doctor.OK)
	wantCheck(t, r, "positions", "database", doctor.OK)
}

func TestDoctor_FindsDamagedBytesOfALog(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := launch(t, []string{"TIPOFF_DATA=" + folder}).ready()
	facts(t, p)
	p.stop()
	log := logWithRecords(t, folder, topics.Coupons)
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-3] ^= 0xff
	if err := os.WriteFile(log, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r := examined(t, "--data="+folder)
	wantCheck(t, r, "broker", "logs", doctor.Wrong, "coupon_topic/")
	wantCheck(t, r, "positions", "log ends", doctor.Wrong, "lost 1 record from offset 9 on")
}

// mirrorOfVersion is an SQLite with the schema as it was at a version.
func mirrorOfVersion(t *testing.T, version int64) (path string, db *sql.DB) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "mirror.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	store, err := database.NewStore(database.DialectSQLite3, "schema_versions")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider("", db, os.DirFS("../../sink/migrations/sqlite"), goose.WithStore(store))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return path, db
}

func TestDoctor_TheCommandItNamesMigratesAnOlderSchema(t *testing.T) {
	t.Parallel()
	path, _ := mirrorOfVersion(t, 1)
	at := []string{"--data=" + filepath.Dir(path), "--database-url=sqlite:" + path}
	before := contents(t, filepath.Dir(path))
	old := wantCheck(t, examined(t, at...), "database", "schema", doctor.Wrong, "version 1", "tipoff migrate")
	if !maps.Equal(before, contents(t, filepath.Dir(path))) {
		t.Error("files changed")
	}
	follow(t, old)
	wantCheck(t, examined(t, at...), "database", "schema", doctor.OK)
}

func TestDoctor_SaysThatTheSchemaIsOfANewerProgram(t *testing.T) {
	t.Parallel()
	path, db := mirrorOfVersion(t, 1)
	if _, err := db.Exec("INSERT INTO schema_versions (version_id, is_applied) VALUES (99, 1)"); err != nil {
		t.Fatal(err)
	}
	r := examined(t, "--data="+filepath.Dir(path), "--database-url=sqlite:"+path)
	wantCheck(t, r, "database", "schema", doctor.Wrong, "version 99", "deploy the newer tipoff")
}

func TestDoctor_ADatabaseThatIsDamagedOrAwayIsWrong(t *testing.T) {
	t.Parallel()
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("not a database, ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for address, do := range map[string]string{
		"sqlite:" + damaged:               "put a copy of the file in its place",
		"mysql://u:hunter2@127.0.0.1:1/x": "see that it is up",
	} {
		c := wantCheck(t, examined(t, "--data="+t.TempDir(), "--database-url="+address), "database", "reachable", doctor.Wrong, do)
		if strings.Contains(fmt.Sprint(c), "hunter2") {
			t.Error(c)
		}
	}
}
