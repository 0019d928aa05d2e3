package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	_ "github.com/go-sql-driver/mysql"

	"tipoff"
	"tipoff/blackbox"
	"tipoff/broker"
	"tipoff/generator"
	"tipoff/topics"
)

// services are a real Kafka and a real MySQL, emptied for a test.
type services struct {
	*testing.T
	kafka    string
	database string // mysql://... of a database made for this test
	admin    sarama.ClusterAdmin
	sql      *sql.DB
}

// realServices skips the test where there are none: TIPOFF_TEST_KAFKA and
// TIPOFF_TEST_DATABASE name them. The cluster's topics are deleted: do not name one
// that anybody uses.
func realServices(t *testing.T) *services {
	t.Helper()
	kafka, database := os.Getenv("TIPOFF_TEST_KAFKA"), os.Getenv("TIPOFF_TEST_DATABASE")
	if kafka == "" || database == "" {
		if os.Getenv("TIPOFF_TEST_SERVICES") == "required" {
			t.Fatal("TIPOFF_TEST_KAFKA and TIPOFF_TEST_DATABASE are not set, but real services are required")
		}
		t.Skip("no real services: set TIPOFF_TEST_KAFKA and TIPOFF_TEST_DATABASE (make services starts both)")
	}
	s := &services{T: t, kafka: kafka}
	s.emptyKafka()
	s.emptyDatabase(database)
	return s
}

func (s *services) emptyKafka() {
	s.Helper()
	config := sarama.NewConfig()
	config.Version = sarama.V3_0_0_0
	admin, err := sarama.NewClusterAdmin(strings.Split(s.kafka, ","), config)
	if err != nil {
		s.Fatal(err)
	}
	s.admin = admin
	s.Cleanup(func() { _ = admin.Close() })
	ours := func() (names []string) {
		all, err := admin.ListTopics()
		if err != nil {
			s.Fatal(err)
		}
		for name := range all {
			if strings.HasPrefix(name, "tipoff-") || slices.Contains(topics.Facts(), name) {
				names = append(names, name)
			}
		}
		return names
	}
	for _, topic := range ours() {
		if err := admin.DeleteTopic(topic); err != nil {
			s.Fatal(err)
		}
	}
	blackbox.Eventually(s.T, 30*time.Second, func() error {
		if left := ours(); len(left) > 0 {
			return fmt.Errorf("topics %v are still there", left)
		}
		return nil
	})
	groups, err := admin.ListConsumerGroups()
	if err != nil {
		s.Fatal(err)
	}
	for group := range groups {
		if !strings.HasPrefix(group, "tipoff-") {
			continue
		}
		blackbox.Eventually(s.T, 30*time.Second, func() error { // members that were killed time out first
			err := admin.DeleteConsumerGroup(group)
			if errors.Is(err, sarama.ErrGroupIDNotFound) {
				err = nil
			}
			return err
		})
	}
}

// emptyDatabase creates a database for the test.
func (s *services) emptyDatabase(address string) {
	s.Helper()
	u, err := url.Parse(address)
	if err != nil {
		s.Fatal(err)
	}
	password, _ := u.User.Password()
	dsn := fmt.Sprintf("%s:%s@tcp(%s)/?parseTime=true&loc=UTC", u.User.Username(), password, u.Host)
	admin, err := sql.Open("mysql", dsn)
	if err != nil {
		s.Fatal(err)
	}
	name := fmt.Sprintf("tipoff_test_%x", rand.Uint64())
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		s.Fatal(err)
	}
	u.Path = "/" + name
	s.database = u.String()
	if s.sql, err = sql.Open("mysql", strings.Replace(dsn, "/?", "/"+name+"?", 1)); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_, err := admin.Exec("DROP DATABASE " + name)
		if err := errors.Join(err, s.sql.Close(), admin.Close()); err != nil {
			s.Error(err)
		}
	})
}

func (s *services) env() []string {
	return []string{"KAFKA_BOOTSTRAP_SERVERS=" + s.kafka, "DATABASE_URL=" + s.database}
}

// cluster starts two processes of each role.
func (s *services) cluster() map[string][]*process {
	s.Helper()
	all := map[string][]*process{}
	for range 2 {
		for _, role := range []string{"api", "processors", "sink"} {
			all[role] = append(all[role], launch(s.T, s.env(), role))
		}
	}
	for _, role := range all {
		for _, p := range role {
			p.ready()
		}
	}
	return all
}

func (s *services) count(query string) (n int) {
	s.Helper()
	if err := s.sql.QueryRow(query).Scan(&n); err != nil {
		s.Fatal(err)
	}
	return n
}

// connect reaches the same cluster as the processes do.
func (s *services) connect() *broker.Cluster {
	s.Helper()
	c, err := broker.Connect(s.Context(), broker.Config{Brokers: strings.Split(s.kafka, ",")},
		broker.Layout{Partitions: 8, Retention: 720 * time.Hour}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = c.Close() })
	return c
}

func TestServices_BlackBoxOnEveryGateway(t *testing.T) {
	s := realServices(t)
	for _, api := range s.cluster()["api"] {
		blackbox.Run(t, api.url)
	}
}

// TestServices_ExactlyWhatWasPosted posts a company's data through two gateways
// while every role is restarted once, and wants exactly it in the database and in
// the tables.
func TestServices_ExactlyWhatWasPosted(t *testing.T) {
	s := realServices(t)
	all := s.cluster()
	now := time.Now()
	book := generator.NewSportsbook(11, 1000, 2000, 7, now)
	p := &posts{users: book.Users(), events: book.Events(), coupons: book.Coupons(20_000, now)}
	restarted, posted := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(posted)
		p.through(t, all["api"], restarted)
	}()
	for _, role := range []string{"processors", "sink"} {
		all[role][0].stop()
		all[role][0] = launch(t, s.env(), role)
	}
	close(restarted)
	for _, role := range []string{"sink", "processors"} {
		all[role][1].stop()
		all[role][1] = launch(t, s.env(), role)
	}
	<-posted
	all["api"][0].stop()
	api := launch(t, s.env(), "api").ready()
	s.wantRows(p)
	s.sameCoupons(p.coupons)
	s.wantTables(p)
	s.wantAlike(all["api"][1], api)
}

// posts is what a company posts.
type posts struct {
	users   []tipoff.User
	events  []tipoff.Event
	coupons []tipoff.Coupon
}

// through posts half of it through each of two gateways, the second half of the coupons
// once restarted is closed.
func (p *posts) through(t *testing.T, gateways []*process, restarted <-chan struct{}) {
	half := func(i, n int) (from, to int) { return i * n / 2, (i + 1) * n / 2 }
	var posting sync.WaitGroup
	for i := range 2 {
		c := &generator.Client{URL: gateways[i].url}
		posting.Go(func() {
			u0, u1 := half(i, len(p.users))
			e0, e1 := half(i, len(p.events))
			k0, k1 := half(i, len(p.coupons))
			middle := (k0 + k1) / 2
			err := errors.Join(c.Coupons(t.Context(), p.coupons[k0:middle]), c.Users(t.Context(), p.users[u0:u1]), c.Events(t.Context(), p.events[e0:e1]))
			<-restarted
			if err := errors.Join(err, c.Coupons(t.Context(), p.coupons[middle:k1])); err != nil {
				t.Error(err)
			}
			if c.Rejected.Load() != 0 || c.Failed.Load() != 0 {
				t.Errorf("half %d: %d rejected, %d failed", i, c.Rejected.Load(), c.Failed.Load())
			}
		})
	}
	posting.Wait()
}

// wantRows waits until the database has as many rows as were posted.
func (s *services) wantRows(p *posts) {
	s.Helper()
	legs := 0
	for _, c := range p.coupons {
		legs += len(c.Selections)
	}
	blackbox.Eventually(s.T, 120*time.Second, func() error {
		for _, c := range []struct {
			query string
			want  int
		}{
			{"SELECT COUNT(*) FROM users", len(p.users)},
			{"SELECT COUNT(*) FROM events WHERE announced = 1", len(p.events)},
			{"SELECT COUNT(*) FROM coupons", len(p.coupons)},
			{"SELECT COUNT(*) FROM selections", legs},
			{"SELECT COUNT(*) FROM event_participants", 2 * len(p.events)},
		} {
			if n := s.count(c.query); n != c.want {
				return fmt.Errorf("%s: %d, want %d", c.query, n, c.want)
			}
		}
		return nil
	})
}

// wantTables waits until every bettor and every fixture has the legs that were posted.
func (s *services) wantTables(p *posts) {
	s.Helper()
	byUser, byEvent := map[string]uint64{}, map[string]uint64{}
	for _, c := range p.coupons {
		for _, leg := range c.Selections {
			byUser[topics.Key("default", c.UserID)]++
			byEvent[topics.Key("default", leg.EventID)]++
		}
	}
	cluster := s.connect()
	blackbox.Eventually(s.T, 120*time.Second, func() error {
		now := blackbox.ReadTables(s.T, cluster, topics.TableSet{})
		for key, want := range byUser {
			if b := now.Bettors[key]; b == nil || b.LegCount != want {
				return fmt.Errorf("bettor %s: %+v, want %d legs", key, b, want)
			}
		}
		for key, want := range byEvent {
			if f := now.Fixtures[key]; f == nil || f.LegCount != want {
				return fmt.Errorf("fixture %s: %+v, want %d legs", key, f, want)
			}
		}
		if len(now.Bettors) != len(p.users) || len(now.Fixtures) != len(p.events) {
			return fmt.Errorf("%d bettors, %d fixtures", len(now.Bettors), len(now.Fixtures))
		}
		return nil
	})
}

// wantAlike waits until two gateways recommend alike to twenty users.
func (s *services) wantAlike(one, other *process) {
	s.Helper()
	ids := func(r tipoff.Recommendation) (list []string) {
		for _, item := range r.Items {
			list = append(list, item.Event.ID)
		}
		return list
	}
	for i := range 20 {
		path := fmt.Sprintf("/v1/recommendations?n=20&user_id=bettor-%d", i+1)
		blackbox.Eventually(s.T, 30*time.Second, func() error {
			var a, b tipoff.Recommendation
			if err := errors.Join(blackbox.GetJSON(one.url+path, &a), blackbox.GetJSON(other.url+path, &b)); err != nil {
				return err
			}
			if !slices.Equal(ids(a), ids(b)) || len(a.Items) != 20 {
				return fmt.Errorf("%s: %v and %v", path, ids(a), ids(b))
			}
			return nil
		})
	}
}

// sameCoupons compares every coupon and selection in the database with what was
// posted.
func (s *services) sameCoupons(coupons []tipoff.Coupon) {
	s.Helper()
	want := map[string]string{}
	for _, c := range coupons {
		line := fmt.Sprint(c.UserID, " ", c.Stake, " ", c.Timestamp.UnixMicro())
		for _, leg := range c.Selections {
			line += fmt.Sprint(" ", leg.EventID, " ", leg.Odds, " ", leg.Market, " ", leg.Outcome)
		}
		want[c.ID] = line
	}
	rows, err := s.sql.Query(`SELECT c.coupon_id, c.user_id, c.stake, c.placed_at, s.event_id, s.odds, s.market, s.outcome
		FROM coupons c JOIN selections s ON s.coupon_pk = c.id ORDER BY c.id, s.position`)
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	got := map[string]string{}
	for rows.Next() {
		var coupon, user, event, market, outcome string
		var stake, odds float64
		var placed time.Time
		if err := rows.Scan(&coupon, &user, &stake, &placed, &event, &odds, &market, &outcome); err != nil {
			s.Fatal(err)
		}
		if got[coupon] == "" {
			got[coupon] = fmt.Sprint(user, " ", stake, " ", placed.UnixMicro())
		}
		got[coupon] += fmt.Sprint(" ", event, " ", odds, " ", market, " ", outcome)
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
	for id, line := range want {
		if got[id] != line {
			s.Errorf("coupon %s in the database: %q, want %q", id, got[id], line)
		}
	}
}
