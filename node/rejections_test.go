package node_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

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
