package acceptance

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff"
	"tipoff/topics"
)

// TestServices_DatabaseDown cuts the connections to the database.
func TestServices_DatabaseDown(t *testing.T) {
	s := realServices(t)
	proxy, env := s.behindProxy()
	proxy.Stop() // it is down from the start
	api, sink := launch(t, env, "api").ready(), launch(t, env, "sink")
	launch(t, env, "processors").ready()
	api.post("/v1/events", []tipoff.Event{event("e1"), event("e2")})
	api.post("/v1/coupons", coupon("c1", "u", "e1"))
	api.wantBets("u", 1)
	api.wantRecommended("u", "e2")
	if status, body, err := request("GET", api.url+"/v1/users/u/coupons", nil); status != 503 {
		t.Errorf("coupons without a database: %d %s, %v", status, body, err)
	}
	sink.wantUnready("waits for the database")
	start(t, proxy)
	sink.ready()
	s.wantCount("SELECT COUNT(*) FROM coupons", 1)
	proxy.Stop() // and again while everything runs
	api.post("/v1/coupons", coupon("c2", "u", "e2"))
	api.wantBets("u", 2)
	sink.wantUnready("does not take rows")
	start(t, proxy)
	s.wantCount("SELECT COUNT(*) FROM coupons", 2)
	sink.ready()
}

// wantUnready waits until the process is not ready, for a reason.
func (p *process) wantUnready(reason string) {
	p.Helper()
	eventually(p.T, 60*time.Second, func() error {
		if status, body, err := request("GET", p.url+"/readyz", nil); status != 503 || !strings.Contains(body, reason) {
			return fmt.Errorf("%d %s, %v", status, body, err)
		}
		return nil
	})
}

// TestServices_ALongOutageAndARefusedRow cuts the connections to the database for
// longer than Kafka lets a member be silent.
func TestServices_ALongOutageAndARefusedRow(t *testing.T) {
	s := realServices(t)
	proxy, env := s.behindProxy()
	api, sink := launch(t, env, "api").ready(), launch(t, env, "sink").ready()
	if _, err := s.sql.Exec("ALTER TABLE users MODIFY country VARCHAR(5)"); err != nil {
		t.Fatal(err)
	}
	before := s.sinkMembers()
	proxy.Stop()
	users := []tipoff.User{user("u1"), user("u2"), user("u3")}
	users[1].Country = "Portugal"
	api.post("/v1/users", users)
	sink.wantUnsaved(15)
	if after := s.sinkMembers(); !slices.Equal(before, after) || len(after) != 1 {
		t.Errorf("members %v before, %v after: the sink lost its session", before, after)
	}
	start(t, proxy)
	sink.ready()
	s.wantCount("SELECT COUNT(*) FROM users", 2)
	if errors := strings.Count(sink.log.String(), "level=ERROR"); errors != 1 {
		t.Errorf("%d errors were logged", errors)
	}
	eventually(t, 30*time.Second, func() error {
		if found := sink.rejected(); !slices.Equal(found, []string{"tipoff-sink user_topic default/u2"}) {
			return fmt.Errorf("rejected: %q, want user u2 alone", found)
		}
		return nil
	})
	proxy.Stop()
	api.post("/v1/users", user("u4"))
	sink.wantUnsaved(0.1)
	sink.stop()
	start(t, proxy)
	launch(t, env, "sink").ready()
	s.wantCount("SELECT COUNT(*) FROM users", 3)
}

func (s *services) sinkMembers() (ids []string) {
	s.Helper()
	groups, err := s.admin.DescribeConsumerGroups([]string{topics.GroupSink})
	if err != nil {
		s.Fatal(err)
	}
	for id := range groups[0].Members {
		ids = append(ids, id)
	}
	return ids
}

// wantUnsaved waits until the sink has had a record unsaved for so many seconds, as
// the database is away.
func (p *process) wantUnsaved(seconds float64) {
	p.Helper()
	eventually(p.T, 60*time.Second, func() error {
		_, body, err := request("GET", p.url+"/metrics", nil)
		_, after, _ := strings.Cut(body, "\ntipoff_sink_oldest_unsaved_seconds ")
		value, _, _ := strings.Cut(after, "\n")
		if age, parseErr := strconv.ParseFloat(value, 64); err != nil || parseErr != nil || age < seconds || !strings.Contains(body, `tipoff_sink_failing{kind="away"} 1`) {
			return fmt.Errorf("unsaved for %q s: %w", value, errors.Join(err, parseErr))
		}
		return nil
	})
}

// rejected lists who rejected which record.
func (p *process) rejected() (list []string) {
	p.Helper()
	for lines := bufio.NewScanner(strings.NewReader(p.tool("rejected", "list", "--json"))); lines.Scan(); {
		var r struct{ By, Topic, Key string }
		if err := json.Unmarshal(lines.Bytes(), &r, json.MatchCaseInsensitiveNames(true)); err != nil {
			p.Fatalf("%s: %v", lines.Text(), err)
		}
		list = append(list, r.By+" "+r.Topic+" "+r.Key)
	}
	return list
}
