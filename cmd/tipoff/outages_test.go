package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
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
