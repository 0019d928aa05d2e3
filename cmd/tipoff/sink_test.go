package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff"
	"tipoff/blackbox"
	"tipoff/broker"
	"tipoff/topics"
)

// TestServices_ALongOutageAndARefusedRow cuts the way to the database for longer than
// Kafka lets a member be silent.
func TestServices_ALongOutageAndARefusedRow(t *testing.T) {
	s := realServices(t)
	u, err := url.Parse(s.database)
	if err != nil {
		t.Fatal(err)
	}
	way := newProxy(t, u.Host)
	u.Host = way.Addr().String()
	env := []string{"KAFKA_BOOTSTRAP_SERVERS=" + s.kafka, "DATABASE_URL=" + u.String()}
	api, sink := launch(t, env, "api").ready(), launch(t, env, "sink").ready()
	if _, err := s.sql.Exec("ALTER TABLE users MODIFY country VARCHAR(5)"); err != nil {
		t.Fatal(err)
	}
	members := func() (ids []string) {
		t.Helper()
		groups, err := s.admin.DescribeConsumerGroups([]string{topics.GroupSink})
		if err != nil {
			t.Fatal(err)
		}
		for id := range groups[0].Members {
			ids = append(ids, id)
		}
		return ids
	}
	unsaved := func(least float64) {
		t.Helper()
		blackbox.Eventually(t, 60*time.Second, func() error {
			_, body, err := blackbox.Get(sink.url + "/metrics")
			_, after, _ := strings.Cut(body, "\ntipoff_sink_oldest_unsaved_seconds ")
			value, _, _ := strings.Cut(after, "\n")
			if age, _ := strconv.ParseFloat(value, 64); err != nil || age < least || !strings.Contains(body, `tipoff_sink_failing{kind="away"} 1`) {
				return fmt.Errorf("unsaved for %q s: %v", value, err)
			}
			return nil
		})
	}
	before := members()
	way.set(true)
	c := &blackbox.Service{T: t, URL: api.url, Prefix: "long"}
	users := []tipoff.User{c.User("u1"), c.User("u2"), c.User("u3")}
	users[1].Country = "Portugal"
	c.Post("/v1/users", 202, users)
	unsaved(15)
	if after := members(); !slices.Equal(before, after) || len(after) != 1 {
		t.Errorf("members %v before, %v after: the sink lost its session", before, after)
	}
	way.set(false)
	sink.ready()
	blackbox.Eventually(t, 30*time.Second, func() error {
		if n := s.count("SELECT COUNT(*) FROM users"); n != 2 {
			return fmt.Errorf("%d users", n)
		}
		return nil
	})
	if errors := strings.Count(sink.logged(), "level=ERROR"); errors != 1 {
		t.Errorf("%d errors were logged:\n%s", errors, sink.logged())
	}
	cluster := s.connect()
	blackbox.Eventually(t, 30*time.Second, func() error {
		var found []string
		err := cluster.Read(t.Context(), topics.Rejected, func(u broker.Stored) error {
			var r topics.Rejection
			err := json.Unmarshal(u.Value, &r)
			found = append(found, r.By+" "+r.Topic+" "+r.Key)
			return err
		})
		if err != nil {
			return err
		}
		if want := []string{"tipoff-sink user_topic default/long-u2"}; !slices.Equal(found, want) {
			return fmt.Errorf("rejected: %q, want %q", found, want)
		}
		return nil
	})
	way.set(true)
	c.Post("/v1/users", 202, []tipoff.User{c.User("u4")})
	unsaved(0.1)
	sink.stop() // within its time
	way.set(false)
	launch(t, env, "sink").ready()
	blackbox.Eventually(t, 30*time.Second, func() error {
		if n := s.count("SELECT COUNT(*) FROM users"); n != 3 {
			return fmt.Errorf("%d users", n)
		}
		return nil
	})
}
