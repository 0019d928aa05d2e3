package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tipoff/blackbox"
	"tipoff/rebuild"
	"tipoff/sink"
	"tipoff/topics"
)

// servicesRebuilding is a company's data on real services, a process a role.
func servicesRebuilding(s *services, all map[string][]*process) *blackbox.Company {
	r := blackbox.NewCompany(s.T, all["api"][0].url, s.connect())
	r.Rebuild = all["api"][0].rebuild
	return r
}

func TestServices_RebuildWithARoleAProcessAndOneOfThemKilled(t *testing.T) {
	s := realServices(t)
	all := s.cluster()
	r := servicesRebuilding(s, all)
	r.Settled(topics.TableSet{})
	end := r.Asking(all["api"][0].url, all["api"][1].url)
	next := r.UntilItServes(rebuild.Rebuild{})
	if err := r.Settled(topics.TableSet{}).Differ(r.Settled(next)); err != nil {
		t.Errorf("the tables differ: %v", err)
	}
	r.Rebuilt(rebuild.Rebuild{})
	r.Gone(topics.TableSet{})

	wait := r.Betting()
	copying := make(chan struct{})
	go func() { // dies somewhere on the way
		defer close(copying)
		blackbox.Eventually(t, 60*time.Second, func() error {
			now, err := r.Cluster.TableSets()
			if err == nil && now.Filling == nil {
				err = os.ErrNotExist
			}
			return err
		})
		all["processors"][0].kill()
		all["processors"][0] = launch(t, s.env(), "processors")
	}()
	more := r.UntilItServes(rebuild.Rebuild{Partitions: 16})
	wait()
	<-copying
	if err := r.Settled(next).Differ(r.Settled(more)); err != nil {
		t.Errorf("in more partitions the tables differ: %v", err)
	}
	r.Rebuilt(rebuild.Rebuild{})
	end(20)
	for _, api := range all["api"] {
		blackbox.OneBet(&blackbox.Service{T: t, URL: api.url, Prefix: "after" + api.url[len(api.url)-3:]})
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
	before := r.Settled(topics.TableSet{})
	db, err := sink.Open(s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r.Mirrored(db)
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
	r.MovedTo(all["api"][0].url, s.connect())
	r.Rebuild = all["api"][0].rebuild
	if out := r.Rebuilt(rebuild.Rebuild{}); !strings.Contains(out, "topics that are gone") {
		t.Errorf("said %s", out)
	}
	next := r.Serving()
	if err := before.Differ(r.Settled(next)); err != nil {
		t.Errorf("the tables differ from those before: %v", err)
	}
	end := r.Asking(all["api"][0].url, all["api"][1].url)
	r.Bet(5)
	r.Settled(next)
	end(1)
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
