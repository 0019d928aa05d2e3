package node_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff"
	"tipoff/blackbox"
	"tipoff/topics"
)

func TestMetrics_CountRejectionsByTopicAndReason(t *testing.T) {
	t.Parallel()
	n := blackbox.Start(t, blackbox.Settings(t.TempDir()))
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "r"}
	series := func(group, topic, reason string, value int) string {
		return fmt.Sprintf("tipoff_rejected_total{group=%q,reason=%q,topic=%q} %d\n", group, reason, topic, value)
	}
	want := func(wanted ...string) {
		t.Helper()
		s.Eventually(func() error {
			_, page, _ := s.Send("GET", "/metrics", "")
			for _, one := range wanted {
				if !strings.Contains(page, one) {
					return fmt.Errorf("the metrics have no %s", one)
				}
			}
			return nil
		})
	}
	want(series(topics.GroupBettors, topics.Coupons, "contradicts", 0), series(topics.GroupFixtures, topics.Events, "malformed", 0),
		series(topics.GroupSink, topics.Users, "refused-by-database", 0))
	coupon := s.Coupon("c", "u", "e")
	s.Post("/v1/coupons", 202, coupon)
	coupon.Stake++
	s.Post("/v1/coupons", 202, coupon)
	publisher, err := n.Cluster().NewPublisher(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.Close()
	if err := publisher.Publish(t.Context(), []topics.Record{
		{Topic: topics.Events, Key: "no key of ours", Value: []byte("{}"), Received: time.Now()},
		{Topic: topics.Users, Key: topics.Key("default", "u"), Value: []byte("no JSON"), Received: time.Now()},
	}); err != nil {
		t.Fatal(err)
	}
	want(series(topics.GroupBettors, topics.Coupons, "contradicts", 1), series(topics.GroupFixtures, topics.Events, "malformed", 1),
		series(topics.GroupBettors, topics.Users, "invalid", 1))
}

// TestRejections_AreSeenAndSentAgainThroughTheGateway: what is wrong with one does not
// change by that, so it comes back as a new one.
func TestRejections_AreSeenAndSentAgainThroughTheGateway(t *testing.T) {
	t.Parallel()
	n := blackbox.Start(t, blackbox.Settings(t.TempDir()))
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "d"}
	coupon := s.Coupon("c", "u", "e")
	s.Post("/v1/coupons", 202, coupon)
	coupon.Stake += 1.25
	s.Post("/v1/coupons", 202, coupon)
	var page tipoff.DeadLetterPage
	only := func(other string) (tipoff.DeadLetter, error) {
		status, body, _ := s.Send("GET", "/v1/rejected?reason=contradicts", "")
		if status != 200 {
			return tipoff.DeadLetter{}, fmt.Errorf("status %d: %s", status, body)
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			return tipoff.DeadLetter{}, err
		}
		if len(page.Rejected) != 1 || page.Rejected[0].ID == other || len(page.Counts) != 1 {
			return tipoff.DeadLetter{}, fmt.Errorf("%+v", page)
		}
		return page.Rejected[0], nil
	}
	var first tipoff.DeadLetter
	s.Eventually(func() (err error) {
		first, err = only("")
		return err
	})
	if first.Topic != topics.Coupons || !strings.Contains(first.Value, `"stake":`) || first.Detail == "" || first.Truncated || page.Cursor != nil {
		t.Errorf("%+v", first)
	}
	retry := "/v1/rejected/" + first.ID + "/retry"
	if status, body, _ := s.Send("POST", retry, ""); status != 202 || !strings.Contains(body, topics.Coupons) {
		t.Fatalf("status %d: %s", status, body)
	}
	s.Eventually(func() error {
		again, err := only(first.ID)
		if err == nil && again.Offset <= first.Offset {
			err = fmt.Errorf("%+v, after %+v", again, first)
		}
		return err
	})
	if status, body, _ := s.Send("POST", retry, ""); status != 409 {
		t.Errorf("a second time: status %d: %s", status, body)
	}
}
