package node_test

import (
	"fmt"
	"testing"

	"tipoff"
	"tipoff/blackbox"
	"tipoff/broker"
	"tipoff/processors"
	"tipoff/topics"
)

// TestNode_BoundsHowManyEventsNobodyPosted: what is refused must be counted by what the
// table of a running processor holds.
func TestNode_BoundsHowManyEventsNobodyPosted(t *testing.T) {
	t.Parallel()
	settings := blackbox.Settings(t.TempDir())
	settings.Partitions = 1
	n := blackbox.Start(t, settings)
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "x"}
	const legs, over = 50, 3
	var coupons []tipoff.Coupon
	for i := 0; i < processors.MaxUnposted+over; i += legs {
		var events []string
		for j := i; j < min(i+legs, processors.MaxUnposted+over); j++ {
			events = append(events, fmt.Sprint("never", j))
		}
		coupons = append(coupons, s.Coupon(fmt.Sprint("c", i), fmt.Sprint("u", i), events...))
	}
	s.Post("/v1/coupons", 202, coupons)
	s.Eventually(func() error {
		dead := 0
		err := n.Cluster().Read(t.Context(), topics.Rejected, func(broker.Stored) error {
			dead++
			return nil
		})
		if err != nil || dead != over {
			return fmt.Errorf("%d dead letters, %w", dead, err)
		}
		return nil
	})
	s.Post("/v1/events", 202, s.Event("posted", "A"))
	s.WantRecommended("stranger", "posted") // a bet that overtook its event would be one too many
	s.Post("/v1/coupons", 202, s.Coupon("last", "u", "posted"))
	s.WantBets("u", 1)
}
