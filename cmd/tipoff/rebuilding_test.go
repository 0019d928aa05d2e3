package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"tipoff"
	"tipoff/broker"
	"tipoff/generator"
	"tipoff/score"
	"tipoff/sink"
	"tipoff/topics"
)

// readTables reads both tables of a build to their present end.
func readTables(t *testing.T, c *broker.Cluster, build topics.TableSet) (bettors map[string]*score.Bettor, fixtures map[string]*score.Fixture) {
	t.Helper()
	bettors, fixtures = map[string]*score.Bettor{}, map[string]*score.Fixture{}
	var mu sync.Mutex
	readTable(t, c, build.TableBettors(), func(u broker.Update) {
		b, err := score.UnmarshalBettor(u.Value)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		bettors[u.Key] = b
	})
	readTable(t, c, build.TableFixtures(), func(u broker.Update) {
		if _, _, chunk := topics.SplitPartKey(u.Key); chunk {
			return
		}
		f, err := score.UnmarshalFixture(u.Value)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		fixtures[u.Key] = f
	})
	return bettors, fixtures
}

func readTable(t *testing.T, c *broker.Cluster, table string, apply func(broker.Update)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	view := c.NewView(table, apply)
	done := make(chan struct{})
	go func() { defer close(done); _ = view.Run(ctx) }()
	eventually(t, 30*time.Second, func() error {
		if state := view.State(); !state.Ready {
			return errors.New(state.Detail)
		}
		return nil
	})
	cancel()
	<-done
}

// tables are both tables at one moment.
type tables struct {
	bettors  map[string]*score.Bettor
	fixtures map[string]*score.Fixture
}

func (a tables) differ(b tables) error {
	keys := func(x, y any) string { return fmt.Sprintf("keys %v and %v", x, y) }
	if x, y := slices.Sorted(maps.Keys(a.bettors)), slices.Sorted(maps.Keys(b.bettors)); !slices.Equal(x, y) {
		return errors.New(keys(x, y))
	}
	if x, y := slices.Sorted(maps.Keys(a.fixtures)), slices.Sorted(maps.Keys(b.fixtures)); !slices.Equal(x, y) {
		return errors.New(keys(x, y))
	}
	for key := range a.bettors {
		if d := score.DifferentBettors(a.bettors[key], b.bettors[key]); d != "" {
			return fmt.Errorf("bettor %s: %s", key, d)
		}
	}
	for key := range a.fixtures {
		if d := score.DifferentFixtures(a.fixtures[key], b.fixtures[key]); d != "" {
			return fmt.Errorf("fixture %s: %s", key, d)
		}
	}
	return nil
}

// rebuilding is a Tipoff with data in it whose tables are filled again.
type rebuilding struct {
	*testing.T
	env     []string
	p       *process
	cluster *broker.Cluster
	book    *generator.Sportsbook
	client  *generator.Client
	coupons int
}

// newRebuilding starts everything in one process and posts a small company's data.
func newRebuilding(t *testing.T) *rebuilding {
	r := &rebuilding{T: t, env: []string{"TIPOFF_DATA=" + t.TempDir()}}
	r.launch()
	r.load()
	return r
}

// load posts a small company's data: half of the bets before their events, some
// events changed, some bets repeated.
func (r *rebuilding) load() {
	now := time.Now()
	// So few events that no bettor's lists are full: a full one depends on the order.
	r.book = generator.NewSportsbook(5, 50, 12, 7, now)
	coupons := r.book.Coupons(400, now)
	r.post(coupons[:200])
	if err := errors.Join(r.client.Users(r.Context(), r.book.Users()), r.client.Events(r.Context(), r.book.Events())); err != nil {
		r.Fatal(err)
	}
	r.post(coupons[200:])
	s := &service{T: r.T, url: r.p.url}
	for _, e := range r.book.Events()[:3] {
		if status, body, _ := s.send("PATCH", "/v1/events/"+e.ID, `{"status":"suspended","result":"1:0"}`); status != 202 {
			r.Fatalf("%d %s", status, body)
		}
	}
	r.post(coupons[:20])
	r.post([]tipoff.Coupon{{ID: "once", UserID: "asker", Stake: 1, Timestamp: now.UTC(), Selections: []tipoff.Selection{{EventID: r.book.Events()[5].ID, Odds: 2}}}})
	r.coupons = 401
}

// launch starts everything in one process.
func (r *rebuilding) launch() {
	r.Helper()
	r.p = launch(r.T, r.env).ready()
	r.client = &generator.Client{URL: r.p.url}
	brokers, running := broker.FindEmbedded(filepath.Join(r.folder(), "broker"))
	if !running {
		r.Fatal("the broker is not found")
	}
	c, err := broker.Connect(r.Context(), broker.Config{Brokers: brokers}, broker.Layout{Partitions: 8, Retention: 720 * time.Hour}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = c.Close() })
	r.cluster = c
}

// serving waits for the topics of the build that serves, and answers it.
func (r *rebuilding) serving() topics.TableSet {
	r.Helper()
	now, err := r.cluster.TableSets()
	if err := errors.Join(err, r.cluster.EnsureTopics()); err != nil {
		r.Fatal(err)
	}
	return now.Serving
}

// mirrored waits until the database has every fact.
func (r *rebuilding) mirrored(db *sink.Database) {
	r.Helper()
	eventually(r.T, 60*time.Second, func() error {
		n, err := db.CountFacts(r.Context())
		if want := int64(r.coupons + len(r.book.Users()) + len(r.book.Events())); err == nil && n != want {
			err = fmt.Errorf("the database has %d facts, want %d", n, want)
		}
		return err
	})
}

func (r *rebuilding) folder() string { return strings.TrimPrefix(r.env[0], "TIPOFF_DATA=") }

func (r *rebuilding) post(coupons []tipoff.Coupon) {
	r.Helper()
	if err := r.client.Coupons(r.Context(), coupons); err != nil {
		r.Fatal(err)
	}
}

// bet posts n new coupons.
func (r *rebuilding) bet(n int) {
	r.Helper()
	r.post(r.book.Coupons(n, time.Now()))
	r.coupons += n
}

func (r *rebuilding) tables(build topics.TableSet) tables {
	r.Helper()
	bettors, fixtures := readTables(r.T, r.cluster, build)
	return tables{bettors, fixtures}
}

// settled waits until every leg of every coupon counts in the build's tables, and
// answers them.
func (r *rebuilding) settled(build topics.TableSet) (now tables) {
	r.Helper()
	eventually(r.T, 60*time.Second, func() error {
		now = r.tables(build)
		coupons, learnt, counted := 0, uint64(0), uint64(0)
		for key, b := range now.bettors {
			coupons += len(b.Bets)
			learnt += b.Legs
			for _, bet := range b.Bets {
				if bet.Waiting != 0 {
					return fmt.Errorf("bettor %s has a coupon that waits", key)
				}
			}
		}
		for _, f := range now.fixtures {
			counted += f.Legs
		}
		if coupons != r.coupons || learnt != counted {
			return fmt.Errorf("%d coupons, want %d; %d legs learnt, %d counted", coupons, r.coupons, learnt, counted)
		}
		return nil
	})
	return now
}

// asking asks for recommendations all along for a user who has bet once, and wants
// each to be answered from what is known of him; the returned function ends it and says how often.
func (r *rebuilding) asking(urls ...string) (end func() int) {
	ctx, cancel := context.WithCancel(r.Context())
	var asked int
	var going sync.WaitGroup
	going.Go(func() {
		for ; ctx.Err() == nil; asked++ {
			var answer tipoff.Recommendation
			err := getJSON(urls[asked%len(urls)]+"/v1/recommendations?n=3&user_id=asker", &answer)
			if err != nil || len(answer.Items) != 3 || answer.ColdStart {
				r.Errorf("during the rebuild %s was answered %+v, %v", answer.UserID, answer, err)
				return
			}
			select {
			case <-time.After(2 * time.Millisecond): // leaves the machine to the others
			case <-ctx.Done():
			}
		}
	})
	return func() int { cancel(); going.Wait(); return asked }
}

// untilItServes runs the command until the new build serves and the old one is kept
// up, then ends it as Ctrl-C does.
func (r *rebuilding) untilItServes(args ...string) topics.TableSet {
	r.Helper()
	before, err := r.cluster.TableSets()
	if err != nil {
		r.Fatal(err)
	}
	var out strings.Builder
	ctx, cancel := context.WithCancel(r.Context())
	cmd := exec.CommandContext(ctx, binary, append([]string{"rebuild", "--grace", "1h"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = r.p.cmd.Dir, r.p.cmd.Env, &out, &out
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var now topics.TableSets
	eventually(r.T, 90*time.Second, func() error {
		select {
		case err := <-ended:
			r.Fatalf("tipoff rebuild ended: %v\n%s", err, out.String())
		default:
		}
		if now, err = r.cluster.TableSets(); err != nil || now.Serving.Number == before.Serving.Number {
			return fmt.Errorf("%+v, %v", now, err)
		}
		return nil
	})
	cancel()
	<-ended
	if now.Retiring == nil || now.Retiring.Number != before.Serving.Number || now.Filling != nil {
		r.Errorf("builds %+v", now)
	}
	return r.serving()
}

// dropFacts waits for the database to have everything and deletes the records of
// the topics of events and coupons, as their retention does.
func (r *rebuilding) dropFacts() {
	r.Helper()
	db, err := sink.Open("sqlite:" + filepath.Join(r.folder(), "tipoff.db"))
	if err != nil {
		r.Fatal(err)
	}
	defer db.Close()
	r.mirrored(db)
	admin := r.admin(r.cluster.Brokers())
	defer admin.Close()
	for _, topic := range []string{topics.Events, topics.Coupons} {
		all := map[int32]int64{}
		for p := range int32(8) {
			all[p] = -1 // its end
		}
		if err := admin.DeleteRecords(topic, all); err != nil {
			r.Fatal(err)
		}
	}
	for _, topic := range []string{topics.Events, topics.Coupons} {
		begins, err := r.cluster.Begins(topic)
		if err != nil || begins[0] == 0 {
			r.Fatalf("the records of %s are still there, from %v on: %v", topic, begins, err)
		}
	}
}

func (r *rebuilding) admin(brokers []string) sarama.ClusterAdmin {
	r.Helper()
	config := sarama.NewConfig()
	config.Version = sarama.V3_0_0_0
	admin, err := sarama.NewClusterAdmin(brokers, config)
	if err != nil {
		r.Fatal(err)
	}
	return admin
}

// gone waits until no topic and no group of the build is left.
func (r *rebuilding) gone(build topics.TableSet) {
	r.Helper()
	admin := r.admin(r.cluster.Brokers())
	defer admin.Close()
	eventually(r.T, 15*time.Second, func() error {
		existing, err := admin.ListTopics()
		groups, again := admin.ListConsumerGroups()
		if err := errors.Join(err, again); err != nil {
			return err
		}
		for _, topic := range build.Topics() {
			if _, there := existing[topic.Name]; there {
				return fmt.Errorf("topic %s is still there", topic.Name)
			}
		}
		for _, group := range []string{build.Bettors(), build.Fixtures(), build.Learner(), build.Copier()} {
			if _, there := groups[group]; there {
				return fmt.Errorf("group %s is still there", group)
			}
		}
		return nil
	})
}

// end is how many records a topic has had, over its partitions.
func (r *rebuilding) end(topic string) (n int64) {
	r.Helper()
	client, err := sarama.NewClient(r.cluster.Brokers(), nil)
	if err != nil {
		r.Fatal(err)
	}
	defer client.Close()
	partitions, err := client.Partitions(topic)
	if err != nil {
		r.Fatal(err)
	}
	for _, p := range partitions {
		offset, err := client.GetOffset(topic, p, sarama.OffsetNewest)
		if err != nil {
			r.Fatal(err)
		}
		n += offset
	}
	return n
}
