package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tipoff/generator"
	"tipoff/sink"
	"tipoff/topics"
)

// TestBackup_AFolderThatWasCopiedHasTheSameState does what docs/backup.md says of
// the broker and the database inside the process.
func TestBackup_AFolderThatWasCopiedHasTheSameState(t *testing.T) {
	r := newRebuilding(t)
	before := r.settled(topics.TableSet{})
	r.p.stop()
	copied := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(copied, os.DirFS(r.folder())); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(r.folder()); err != nil {
		t.Fatal(err)
	}
	r.env = []string{"TIPOFF_DATA=" + copied}
	r.launch()
	if err := before.differ(r.settled(topics.TableSet{})); err != nil {
		t.Errorf("the copy differs: %v", err)
	}
	end := r.asking(r.p.url)
	r.bet(5)
	r.settled(topics.TableSet{})
	if asked := end(); asked == 0 {
		t.Error("nothing was asked")
	}
	r.p.stop()
}

// TestBackup_TheDatabaseAloneBringsTheTablesBack: the broker's log is lost.
func TestBackup_TheDatabaseAloneBringsTheTablesBack(t *testing.T) {
	r := newRebuilding(t)
	before := r.settled(topics.TableSet{})
	db, err := sink.Open("sqlite:" + filepath.Join(r.folder(), "tipoff.db"))
	if err != nil {
		t.Fatal(err)
	}
	r.mirrored(db)
	r.p.stop()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(r.folder(), "broker")); err != nil {
		t.Fatal(err)
	}
	// Nobody runs on the folder: the command does the work itself.
	cmd := exec.Command(binary, "rebuild", "--grace", "0s")
	cmd.Dir, cmd.Env = t.TempDir(), append(r.env, "TIPOFF_ADDR=127.0.0.1:0")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "serves alone") || !strings.Contains(string(out), "topics that are gone") {
		t.Fatalf("%v: %s", err, out)
	}
	r.launch()
	next := r.serving()
	if err := before.differ(r.settled(next)); err != nil {
		t.Errorf("the tables differ from those before: %v", err)
	}
	end := r.asking(r.p.url)
	r.bet(5)
	now := r.settled(next)
	if asked := end(); asked == 0 {
		t.Error("nothing was asked")
	}
	// What came before the loss and after it is there once after another rebuild.
	db, err = sink.Open("sqlite:" + filepath.Join(r.folder(), "tipoff.db"))
	if err != nil {
		t.Fatal(err)
	}
	r.mirrored(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	r.p.tool("rebuild", "--grace", "0s")
	if err := now.differ(r.settled(r.serving())); err != nil {
		t.Errorf("after another rebuild the tables differ: %v", err)
	}
	r.p.stop()
}

// servicesRebuilding is a company's data on real services, a process a role.
func servicesRebuilding(s *services, all map[string][]*process) *rebuilding {
	r := &rebuilding{T: s.T, env: s.env(), p: all["api"][0], cluster: s.connect(), client: &generator.Client{URL: all["api"][0].url}}
	r.load()
	return r
}

func TestServices_RebuildWithARoleAProcessAndOneOfThemKilled(t *testing.T) {
	s := realServices(t)
	all := s.cluster()
	r := servicesRebuilding(s, all)
	r.settled(topics.TableSet{})
	end := r.asking(all["api"][0].url, all["api"][1].url)
	next := r.untilItServes()
	if err := r.settled(topics.TableSet{}).differ(r.settled(next)); err != nil {
		t.Errorf("the tables differ: %v", err)
	}
	r.p.tool("rebuild", "--grace", "0s")
	r.gone(topics.TableSet{})

	betting := make(chan struct{})
	go func() {
		defer close(betting)
		for range 10 {
			r.bet(10)
		}
	}()
	copying := make(chan struct{})
	go func() { // dies somewhere on the way
		defer close(copying)
		eventually(t, 60*time.Second, func() error {
			now, err := r.cluster.TableSets()
			if err == nil && now.Filling == nil {
				err = os.ErrNotExist
			}
			return err
		})
		all["processors"][0].kill()
		all["processors"][0] = launch(t, s.env(), "processors")
	}()
	more := r.untilItServes("--table-partitions", "16")
	<-betting
	<-copying
	if err := r.settled(next).differ(r.settled(more)); err != nil {
		t.Errorf("in more partitions the tables differ: %v", err)
	}
	r.p.tool("rebuild", "--grace", "0s")
	if asked := end(); asked < 20 {
		t.Errorf("only %d questions were asked", asked)
	}
	for _, api := range all["api"] {
		oneBet(&service{T: t, url: api.url, run: "after" + api.url[len(api.url)-3:]})
	}
}

// TestServices_ADumpOfTheDatabaseBringsTheTablesBackOnAnEmptyKafka does what
// docs/backup.md says.
func TestServices_ADumpOfTheDatabaseBringsTheTablesBackOnAnEmptyKafka(t *testing.T) {
	s := realServices(t)
	if _, err := exec.LookPath("mysqldump"); err != nil {
		if os.Getenv("TIPOFF_TEST_SERVICES") == "required" {
			t.Fatal("mysqldump is not installed, but real services are required")
		}
		t.Skip("mysqldump is not installed: it comes with mariadb-client or mysql-client")
	}
	all := s.cluster()
	r := servicesRebuilding(s, all)
	before := r.settled(topics.TableSet{})
	db, err := sink.Open(s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r.mirrored(db)
	for _, role := range all {
		for _, p := range role {
			p.stop()
		}
	}
	dump := s.dump(s.database)
	s.emptyKafka()
	s.emptyDatabase(os.Getenv("TIPOFF_TEST_DATABASE"))
	s.restore(s.database, dump)

	all = s.cluster()
	r.env, r.p, r.cluster, r.client.URL = s.env(), all["api"][0], s.connect(), all["api"][0].url
	if out := r.p.tool("rebuild", "--grace", "0s"); !strings.Contains(out, "topics that are gone") {
		t.Errorf("said %s", out)
	}
	next := r.serving()
	if err := before.differ(r.settled(next)); err != nil {
		t.Errorf("the tables differ from those before: %v", err)
	}
	end := r.asking(all["api"][0].url, all["api"][1].url)
	r.bet(5)
	r.settled(next)
	if asked := end(); asked == 0 {
		t.Error("nothing was asked")
	}
}

func (s *services) client(ctx context.Context, program, database string, args ...string) *exec.Cmd {
	user, rest, _ := strings.Cut(strings.TrimPrefix(database, "mysql://"), "@")
	name, password, _ := strings.Cut(user, ":")
	address, schema, _ := strings.Cut(rest, "/")
	host, port, _ := strings.Cut(address, ":")
	return exec.CommandContext(ctx, program, append(args, "--host="+host, "--port="+port, "--user="+name, "--password="+password, schema)...)
}

func (s *services) dump(database string) string {
	s.Helper()
	out, err := s.client(s.Context(), "mysqldump", database, "--single-transaction", "--no-tablespaces").Output()
	if err != nil {
		s.Fatalf("mysqldump: %v", err)
	}
	return string(out)
}

func (s *services) restore(database, dump string) {
	s.Helper()
	cmd := s.client(s.Context(), "mysql", database)
	cmd.Stdin = strings.NewReader(dump)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("mysql: %v %s", err, out)
	}
}
