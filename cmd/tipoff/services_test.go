package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"
	_ "github.com/go-sql-driver/mysql"

	"tipoff"
	"tipoff/broker"
	"tipoff/generator"
	"tipoff/score"
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
	ours := func() (topics []string) {
		all, err := admin.ListTopics()
		if err != nil {
			s.Fatal(err)
		}
		for _, t := range tipoff.Topics() {
			if _, there := all[t.Name]; there {
				topics = append(topics, t.Name)
			}
		}
		return topics
	}
	for _, topic := range ours() {
		if err := admin.DeleteTopic(topic); err != nil {
			s.Fatal(err)
		}
	}
	eventually(s.T, 30*time.Second, func() error {
		if left := ours(); len(left) > 0 {
			return fmt.Errorf("topics %v are still there", left)
		}
		return nil
	})
	for _, group := range []string{tipoff.GroupBettors, tipoff.GroupFixtures, tipoff.GroupSink} {
		eventually(s.T, 30*time.Second, func() error { // members that were killed time out first
			err := admin.DeleteConsumerGroup(group)
			if errors.Is(err, sarama.ErrGroupIDNotFound) {
				err = nil
			}
			return err
		})
	}
}

// emptyDatabase makes a database for the test.
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

// tables reads both tables to their present end.
func (s *services) tables(c *broker.Cluster) (bettors map[string]*score.Bettor, fixtures map[string]*score.Fixture) {
	s.Helper()
	bettors, fixtures = map[string]*score.Bettor{}, map[string]*score.Fixture{}
	var mu sync.Mutex
	s.follow(c, tipoff.TableBettors, func(u broker.Update) {
		b, err := score.UnmarshalBettor(u.Value)
		if err != nil {
			s.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		bettors[u.Key] = b
	})
	s.follow(c, tipoff.TableFixtures, func(u broker.Update) {
		if _, _, chunk := tipoff.SplitPartKey(u.Key); chunk {
			return
		}
		f, err := score.UnmarshalFixture(u.Value)
		if err != nil {
			s.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		fixtures[u.Key] = f
	})
	return bettors, fixtures
}

func (s *services) follow(c *broker.Cluster, table string, apply func(broker.Update)) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	view := c.NewView(table, apply)
	done := make(chan struct{})
	go func() { defer close(done); _ = view.Run(ctx) }()
	eventually(s.T, 30*time.Second, func() error {
		if state := view.State(); !state.Ready {
			return errors.New(state.Detail)
		}
		return nil
	})
	cancel()
	<-done
}

func TestServices_BlackBoxOnEveryGateway(t *testing.T) {
	s := realServices(t)
	for _, api := range s.cluster()["api"] {
		blackBox(t, api.url)
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
	users, events, coupons := book.Users(), book.Events(), book.Coupons(20_000, now)
	var posting sync.WaitGroup
	halves := make([]*generator.Client, 2)
	for i := range halves {
		halves[i] = &generator.Client{URL: all["api"][i].url}
	}
	half := func(i, n int) (from, to int) { return i * n / 2, (i + 1) * n / 2 }
	restarted := make(chan struct{})
	for i, c := range halves {
		posting.Go(func() {
			u0, u1 := half(i, len(users))
			e0, e1 := half(i, len(events))
			k0, k1 := half(i, len(coupons))
			middle := (k0 + k1) / 2
			err := errors.Join(c.Coupons(t.Context(), coupons[k0:middle]), c.Users(t.Context(), users[u0:u1]), c.Events(t.Context(), events[e0:e1]))
			<-restarted
			if err := errors.Join(err, c.Coupons(t.Context(), coupons[middle:k1])); err != nil {
				t.Error(err)
			}
		})
	}
	for _, role := range []string{"processors", "sink"} {
		all[role][0].stop()
		all[role][0] = launch(t, s.env(), role)
	}
	close(restarted)
	for _, role := range []string{"sink", "processors"} {
		all[role][1].stop()
		all[role][1] = launch(t, s.env(), role)
	}
	posting.Wait()
	all["api"][0].stop()
	for i, c := range halves {
		if c.Rejected.Load() != 0 || c.Failed.Load() != 0 {
			t.Errorf("half %d: %d rejected, %d failed", i, c.Rejected.Load(), c.Failed.Load())
		}
	}
	api := launch(t, s.env(), "api").ready()

	legs, byUser, byEvent := 0, map[string]uint64{}, map[string]uint64{}
	for _, c := range coupons {
		legs += len(c.Selections)
		for _, leg := range c.Selections {
			byUser[tipoff.Key("default", c.UserID)]++
			byEvent[tipoff.Key("default", leg.EventID)]++
		}
	}
	eventually(t, 120*time.Second, func() error {
		for _, c := range []struct {
			query string
			want  int
		}{
			{"SELECT COUNT(*) FROM users", len(users)},
			{"SELECT COUNT(*) FROM events WHERE announced = 1", len(events)},
			{"SELECT COUNT(*) FROM coupons", len(coupons)},
			{"SELECT COUNT(*) FROM selections", legs},
			{"SELECT COUNT(*) FROM event_participants", 2 * len(events)},
		} {
			if n := s.count(c.query); n != c.want {
				return fmt.Errorf("%s: %d, want %d", c.query, n, c.want)
			}
		}
		return nil
	})
	s.sameCoupons(coupons)
	cluster := s.connect()
	eventually(t, 120*time.Second, func() error {
		bettors, fixtures := s.tables(cluster)
		for key, want := range byUser {
			if b := bettors[key]; b == nil || b.Legs != want {
				return fmt.Errorf("bettor %s: %+v, want %d legs", key, b, want)
			}
		}
		for key, want := range byEvent {
			if f := fixtures[key]; f == nil || f.Legs != want {
				return fmt.Errorf("fixture %s: %+v, want %d legs", key, f, want)
			}
		}
		if len(bettors) != len(users) || len(fixtures) != len(events) {
			return fmt.Errorf("%d bettors, %d fixtures", len(bettors), len(fixtures))
		}
		return nil
	})
	// Any gateway answers for any user, and alike.
	for i := range 20 {
		path := fmt.Sprintf("/v1/recommendations?n=20&user_id=bettor-%d", i+1)
		eventually(t, 30*time.Second, func() error {
			var a, b tipoff.Recommendation
			if err := errors.Join(getJSON(all["api"][1].url+path, &a), getJSON(api.url+path, &b)); err != nil {
				return err
			}
			ids := func(r tipoff.Recommendation) (list []string) {
				for _, item := range r.Items {
					list = append(list, item.Event.ID)
				}
				return list
			}
			if !slices.Equal(ids(a), ids(b)) || len(a.Items) != 20 {
				return fmt.Errorf("%s: %v and %v", path, ids(a), ids(b))
			}
			return nil
		})
	}
}

// sameCoupons holds every coupon and selection in the database against what was
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

func TestServices_WhenOneProcessorEndsTheOtherTakesOver(t *testing.T) {
	s := realServices(t)
	all := s.cluster()
	shares := func(p *process) (partitions int, err error) {
		var ready struct {
			Parts []struct{ Name, Detail string }
		}
		if err := getJSONLoose(p.url+"/readyz", &ready); err != nil {
			return 0, err
		}
		for _, part := range ready.Parts {
			if part.Name == tipoff.GroupBettors {
				_, err = fmt.Sscanf(part.Detail, "works on %d of 8 partitions", &partitions)
			}
		}
		return partitions, err
	}
	want := func(p *process, partitions int) {
		t.Helper()
		eventually(t, 60*time.Second, func() error {
			n, err := shares(p)
			if err == nil && n != partitions {
				err = fmt.Errorf("works on %d partitions, want %d", n, partitions)
			}
			return err
		})
	}
	want(all["processors"][0], 4)
	want(all["processors"][1], 4)
	all["processors"][0].stop()
	want(all["processors"][1], 8)
	c := &service{T: t, url: all["api"][0].url, run: "takeover"}
	c.post("/v1/events", 202, c.event("e", "A"))
	c.post("/v1/coupons", 202, c.coupon("c", "u", "e"))
	c.wantBets("u", 1)
}

func getJSONLoose(url string, value any) error {
	_, body, err := get(url)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(body), value, json.MatchCaseInsensitiveNames(true))
}

func TestServices_KafkaDown(t *testing.T) {
	s := realServices(t)
	file := os.Getenv("TIPOFF_TEST_KAFKA_PIDFILE")
	if file == "" {
		if os.Getenv("TIPOFF_TEST_SERVICES") == "required" {
			t.Fatal("TIPOFF_TEST_KAFKA_PIDFILE is not set, but real services are required")
		}
		t.Skip("no Kafka of ours to stop: set TIPOFF_TEST_KAFKA_PIDFILE")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	all := s.cluster()
	c := &service{T: t, url: all["api"][0].url, run: "kafka-down"}
	c.post("/v1/events", 202, []tipoff.Event{c.event("e1", "A"), c.event("e2", "A")})
	c.post("/v1/coupons", 202, c.coupon("c1", "u", "e1"))
	c.wantBets("u", 1)
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		began := time.Now()
		status, body, header := c.send("POST", "/register_user", fmt.Sprintf(`{"user_id":"kafka-down-%d","birth_year":1990,"country":"USA","currency":"USD","gender":"x","registration_date":"2020-01-01"}`, i))
		if took := time.Since(began); status != 503 || header.Get("Retry-After") == "" || took > 5*time.Second {
			t.Errorf("%d after %s: %s", status, took, body)
		}
	}
	if names, _, err := c.recommended("u", 10); err != nil || !slices.Equal(names, []string{"e2"}) { // memory serves on
		t.Errorf("while Kafka is down: %v, %v", names, err)
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.eventually(func() error {
		status, body, _ := c.send("POST", "/v1/coupons", string(tipoff.CouponRecord("", c.coupon("c2", "u", "e2"), time.Now()).Value))
		if status != 202 {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	c.wantBets("u", 2)
}

// TestServices_DatabaseDown cuts the way to the database.
func TestServices_DatabaseDown(t *testing.T) {
	s := realServices(t)
	u, err := url.Parse(s.database)
	if err != nil {
		t.Fatal(err)
	}
	way := newProxy(t, u.Host)
	u.Host = way.Addr().String()
	env := []string{"KAFKA_BOOTSTRAP_SERVERS=" + s.kafka, "DATABASE_URL=" + u.String()}
	way.set(true) // it is down from the start
	api, processors, sink := launch(t, env, "api").ready(), launch(t, env, "processors").ready(), launch(t, env, "sink")
	c := &service{T: t, url: api.url, run: "db-down"}
	c.post("/v1/events", 202, []tipoff.Event{c.event("e1", "A"), c.event("e2", "A")})
	c.post("/v1/coupons", 202, c.coupon("c1", "u", "e1"))
	c.wantBets("u", 1)
	c.wantRecommended("u", "e2")
	if status, body, _ := c.send("GET", "/v1/users/db-down-u/coupons", ""); status != 503 {
		t.Errorf("coupons without a database: %d %s", status, body)
	}
	if status, body, _ := get(sink.url + "/readyz"); status != 503 || !strings.Contains(body, "waits for the database") {
		t.Errorf("the sink without a database: %d %s", status, body)
	}
	way.set(false)
	sink.ready()
	rows := func(want int) {
		t.Helper()
		eventually(t, 60*time.Second, func() error {
			if n := s.count("SELECT COUNT(*) FROM coupons"); n != want {
				return fmt.Errorf("%d coupons in the database, want %d", n, want)
			}
			return nil
		})
	}
	rows(1)
	way.set(true) // and again while everything runs
	c.post("/v1/coupons", 202, c.coupon("c2", "u", "e2"))
	c.wantBets("u", 2)
	eventually(t, 60*time.Second, func() error {
		if status, body, _ := get(sink.url + "/readyz"); status != 503 || !strings.Contains(body, "does not take rows") {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	way.set(false)
	rows(2)
	sink.ready()
	_ = processors
}

// proxy lets a test cut the way to a server.
type proxy struct {
	net.Listener
	to    string
	mu    sync.Mutex
	down  bool
	conns []net.Conn
	all   sync.WaitGroup
}

func newProxy(t *testing.T, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to}
	p.all.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			p.pass(from)
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.set(true)
		p.all.Wait()
	})
	return p
}

func (p *proxy) pass(from net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	to, err := net.Dial("tcp", p.to)
	if err != nil || p.down {
		from.Close()
		if err == nil {
			to.Close()
		}
		return
	}
	p.conns = append(p.conns, from, to)
	p.all.Go(func() { _, _ = io.Copy(to, from); to.Close() })
	p.all.Go(func() { _, _ = io.Copy(from, to); from.Close() })
}

// set cuts every connection and refuses new ones, or lets them through again.
func (p *proxy) set(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	if down {
		for _, c := range p.conns {
			c.Close()
		}
		p.conns = nil
	}
}

// TestServices_AMalformedRecordIsRejectedAndProcessingGoesOn writes straight to
// the topics, as only somebody else's producer could.
func TestServices_AMalformedRecordIsRejectedAndProcessingGoesOn(t *testing.T) {
	s := realServices(t)
	all := s.cluster()
	cluster := s.connect()
	publisher, err := cluster.NewPublisher(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.Close()
	for _, topic := range []string{tipoff.TopicUsers, tipoff.TopicEvents, tipoff.TopicCoupons, tipoff.TopicSelections, tipoff.TopicResolved} {
		if err := publisher.Publish(t.Context(), []tipoff.Record{{Topic: topic, Key: "default/malformed", Value: []byte("\xff not ours"), Received: time.Now()}}); err != nil {
			t.Fatal(err)
		}
	}
	c := &service{T: t, url: all["api"][1].url, run: "malformed"}
	c.post("/v1/users", 202, c.user("u"))
	c.post("/v1/events", 202, c.event("e", "A"))
	c.post("/v1/coupons", 202, c.coupon("c", "u", "e"))
	c.wantBets("u", 1)
	eventually(t, 30*time.Second, func() error {
		if u, k := s.count("SELECT COUNT(*) FROM users"), s.count("SELECT COUNT(*) FROM coupons"); u != 1 || k != 1 {
			return fmt.Errorf("%d users, %d coupons", u, k)
		}
		return nil
	})
	eventually(t, 30*time.Second, func() error {
		var mu sync.Mutex
		seen := map[string]bool{}
		s.follow(cluster, tipoff.TopicRejected, func(u broker.Update) {
			var r tipoff.Rejection
			if err := json.Unmarshal(u.Value, &r); err != nil || r.Reason == "" || string(r.Value) != "\xff not ours" || r.Key != "default/malformed" {
				t.Errorf("rejection %s, %v", u.Value, err)
			}
			mu.Lock()
			defer mu.Unlock()
			seen[r.Topic] = true
		})
		if len(seen) != 5 {
			return fmt.Errorf("rejected from %v", seen)
		}
		return nil
	})
}
