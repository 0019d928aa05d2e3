package main

import (
	"fmt"
	"io"
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

	"github.com/go-json-experiment/json"
	_ "github.com/go-sql-driver/mysql"

	"tipoff"
	"tipoff/blackbox"
	"tipoff/broker"
	"tipoff/topics"
)

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
			if part.Name == topics.GroupBettors {
				_, err = fmt.Sscanf(part.Detail, "works on %d of 8 partitions", &partitions)
			}
		}
		return partitions, err
	}
	want := func(p *process, partitions int) {
		t.Helper()
		blackbox.Eventually(t, 60*time.Second, func() error {
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
	c := &blackbox.Service{T: t, URL: all["api"][0].url, Prefix: "takeover"}
	c.Post("/v1/events", 202, c.Event("e", "A"))
	c.Post("/v1/coupons", 202, c.Coupon("c", "u", "e"))
	c.WantBets("u", 1)
}

func getJSONLoose(url string, value any) error {
	_, body, err := blackbox.Get(url)
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
	c := &blackbox.Service{T: t, URL: all["api"][0].url, Prefix: "kafka-down"}
	c.Post("/v1/events", 202, []tipoff.Event{c.Event("e1", "A"), c.Event("e2", "A")})
	c.Post("/v1/coupons", 202, c.Coupon("c1", "u", "e1"))
	c.WantBets("u", 1)
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		began := time.Now()
		status, body, header := c.Send("POST", "/register_user", fmt.Sprintf(`{"user_id":"kafka-down-%d","birth_year":1990,"country":"USA","currency":"USD","gender":"x","registration_date":"2020-01-01"}`, i))
		if took := time.Since(began); status != 503 || header.Get("Retry-After") == "" || took > 5*time.Second {
			t.Errorf("%d after %s: %s", status, took, body)
		}
	}
	if names, _, err := c.Recommended("u", 10); err != nil || !slices.Equal(names, []string{"e2"}) { // memory serves on
		t.Errorf("while Kafka is down: %v, %v", names, err)
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.Eventually(func() error {
		status, body, _ := c.Send("POST", "/v1/coupons", string(topics.CouponRecord("", c.Coupon("c2", "u", "e2"), time.Now()).Value))
		if status != 202 {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	c.WantBets("u", 2)
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
	c := &blackbox.Service{T: t, URL: api.url, Prefix: "db-down"}
	c.Post("/v1/events", 202, []tipoff.Event{c.Event("e1", "A"), c.Event("e2", "A")})
	c.Post("/v1/coupons", 202, c.Coupon("c1", "u", "e1"))
	c.WantBets("u", 1)
	c.WantRecommended("u", "e2")
	if status, body, _ := c.Send("GET", "/v1/users/db-down-u/coupons", ""); status != 503 {
		t.Errorf("coupons without a database: %d %s", status, body)
	}
	if status, body, _ := blackbox.Get(sink.url + "/readyz"); status != 503 || !strings.Contains(body, "waits for the database") {
		t.Errorf("the sink without a database: %d %s", status, body)
	}
	way.set(false)
	sink.ready()
	rows := func(want int) {
		t.Helper()
		blackbox.Eventually(t, 60*time.Second, func() error {
			if n := s.count("SELECT COUNT(*) FROM coupons"); n != want {
				return fmt.Errorf("%d coupons in the database, want %d", n, want)
			}
			return nil
		})
	}
	rows(1)
	way.set(true) // and again while everything runs
	c.Post("/v1/coupons", 202, c.Coupon("c2", "u", "e2"))
	c.WantBets("u", 2)
	blackbox.Eventually(t, 60*time.Second, func() error {
		if status, body, _ := blackbox.Get(sink.url + "/readyz"); status != 503 || !strings.Contains(body, "does not take rows") {
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
	for _, topic := range []string{topics.Users, topics.Events, topics.Coupons, topics.Selections, topics.Resolved} {
		if err := publisher.Publish(t.Context(), []topics.Record{{Topic: topic, Key: "default/malformed", Value: []byte("\xff not ours"), Received: time.Now()}}); err != nil {
			t.Fatal(err)
		}
	}
	c := &blackbox.Service{T: t, URL: all["api"][1].url, Prefix: "malformed"}
	c.Post("/v1/users", 202, c.User("u"))
	c.Post("/v1/events", 202, c.Event("e", "A"))
	c.Post("/v1/coupons", 202, c.Coupon("c", "u", "e"))
	c.WantBets("u", 1)
	blackbox.Eventually(t, 30*time.Second, func() error {
		if u, k := s.count("SELECT COUNT(*) FROM users"), s.count("SELECT COUNT(*) FROM coupons"); u != 1 || k != 1 {
			return fmt.Errorf("%d users, %d coupons", u, k)
		}
		return nil
	})
	blackbox.Eventually(t, 30*time.Second, func() error {
		seen := map[string]bool{}
		err := cluster.Read(t.Context(), topics.Rejected, func(u broker.Stored) error {
			var r topics.Rejection
			if err := json.Unmarshal(u.Value, &r); err != nil || r.Reason == "" || string(r.Value) != "\xff not ours" || r.Key != "default/malformed" {
				t.Errorf("rejection %s, %v", u.Value, err)
			}
			seen[r.Topic] = true
			return nil
		})
		if err != nil {
			return err
		}
		if len(seen) != 5 {
			return fmt.Errorf("rejected from %v", seen)
		}
		return nil
	})
}
