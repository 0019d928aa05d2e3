package main

import (
	"fmt"
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
		status, body, _ := c.send("POST", "/v1/coupons", string(topics.CouponRecord("", c.coupon("c2", "u", "e2"), time.Now()).Value))
		if status != 202 {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	c.wantBets("u", 2)
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
		readTable(s.T, cluster, topics.Rejected, func(u broker.Update) {
			var r topics.Rejection
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
