package node_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tipoff/blackbox"
	"tipoff/broker"
	"tipoff/topics"
)

// TestNode_WhatWaitsForAnEventThatNobodyPostsGoes: from the bet to the dead letter, and
// until the table holds nothing of the event. When the event comes after that, the bet
// does not come back.
func TestNode_WhatWaitsForAnEventThatNobodyPostsGoes(t *testing.T) {
	t.Parallel()
	settings := blackbox.Settings(t.TempDir())
	settings.EventWait = time.Second
	n := blackbox.Start(t, settings)
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "x"}
	never := topics.Key("default", s.ID("never"))
	s.Post("/v1/events", 202, s.Event("known", "A"))
	s.WantRecommended("stranger", "known") // a bet that overtook it would wait too
	s.Post("/v1/coupons", 202, s.Coupon("c", "u", "known", "never"))
	s.Eventually(func() error {
		held := map[string]bool{}
		err := n.Cluster().Read(t.Context(), topics.TableFixtures, func(v broker.Stored) error {
			held[v.Key] = v.Value != nil
			return nil
		})
		if _, came := held[never]; err != nil || !came {
			return fmt.Errorf("the table holds %v, %w", held, err)
		}
		for key, is := range held {
			if is && strings.HasPrefix(key, never) {
				return fmt.Errorf("the table holds %v", held)
			}
		}
		return nil
	})
	dead := map[string]topics.Rejection{}
	if err := n.Cluster().Read(t.Context(), topics.Rejected, func(v broker.Stored) error {
		var r topics.Rejection
		err := json.Unmarshal(v.Value, &r)
		dead[v.Key] = r
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, r := range dead {
		if r.Key != never || !strings.Contains(r.Reason, "TIPOFF_EVENT_WAIT") {
			t.Errorf("rejected: %+v", r)
		}
	}
	if len(dead) != 1 {
		t.Errorf("%d dead letters, want the leg's", len(dead))
	}
	s.WantBets("u", 1)
	s.Post("/v1/events", 202, s.Event("never", "A"))
	s.WantRecommended("stranger", "known", "never")
	s.Post("/v1/coupons", 202, s.Coupon("c2", "u", "never"))
	s.WantBets("u", 2)
}
