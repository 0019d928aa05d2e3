package node_test

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"

	"tipoff"
	"tipoff/blackbox"
)

// readCompany is a service with some events and bets of its own.
func readCompany(t *testing.T, n interface{ URL() string }) *blackbox.Service {
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "x"}
	s.Post("/v1/users", 202, s.User("u"))
	for i := range 12 {
		s.Post("/v1/events", 202, s.Event(fmt.Sprint("e", i), []string{"A", "B", "C"}[i%3]))
	}
	for i := range 12 {
		s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("c", i), []string{"u", "v", "w"}[i%3], fmt.Sprint("e", i%7)))
	}
	s.WantBets("u", 4)
	s.WantBets("v", 4)
	s.WantBets("w", 4)
	return s
}

// TestNode_ExplainsTheScoresThatItShows: what is recommended and what is explained at the
// same moment have one number, for every ranker.
func TestNode_ExplainsTheScoresThatItShows(t *testing.T) {
	t.Parallel()
	s := readCompany(t, blackbox.Start(t, blackbox.Settings(t.TempDir())))
	for _, ranker := range append(tipoff.Rankers(), "") {
		query := "user_id=" + url.QueryEscape(s.ID("u")) + "&n=5"
		if ranker != "" {
			query += "&ranker=" + ranker
		}
		s.Eventually(func() error { // another second may begin between the questions
			var r tipoff.Recommendation
			if err := s.Get("/v1/recommendations?"+query, &r); err != nil || len(r.Items) == 0 {
				return fmt.Errorf("%d items: %v", len(r.Items), err)
			}
			for i, item := range r.Items {
				var e tipoff.Explanation
				if err := s.Get("/v1/explanations?"+query+"&event_id="+url.QueryEscape(item.Event.ID), &e); err != nil {
					return err
				}
				sum := 0.0
				for _, term := range e.Terms {
					sum += term.Contribution
				}
				if e.Score != item.Score || e.Rank == nil || *e.Rank != i+1 || *e.Reason != item.Reason || math.Abs(sum-e.Score) > 1e-9 {
					return fmt.Errorf("ranker %q, number %d: shown %v for %v, explained %v for %v, terms add up to %v", ranker, i+1, item.Score, item.Reason, e.Score, e.Reason, sum)
				}
			}
			return nil
		})
	}
	if status, body, _ := s.Send("GET", "/v1/explanations?user_id="+s.ID("u")+"&event_id="+s.ID("e0"), ""); status != 409 {
		t.Errorf("an event that the user has bet on: %d %s", status, body)
	}
}

// TestNode_MeasuresItsQuality beside popularity's, and what it has shown.
func TestNode_MeasuresItsQuality(t *testing.T) {
	t.Parallel()
	s := readCompany(t, blackbox.Start(t, blackbox.Settings(t.TempDir())))
	tries := 0
	s.Eventually(func() error {
		// Coupons that come at once after their events may be before them at the learner.
		if tries++; tries%20 == 0 {
			s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("more", tries), fmt.Sprint("bettor", tries), fmt.Sprint("e", tries/20%12)))
		}
		if _, _, err := s.Recommended("u", 5); err != nil {
			return err
		}
		var q tipoff.Quality
		if err := s.Get("/v1/quality", &q); err != nil {
			return err
		}
		if q.LastDay == nil || q.LastDay.PopularNDCG == nil || len(q.Spans) == 0 || q.Coverage == nil || q.Coverage.Events == 0 || len(q.Weights) == 0 || len(q.WeightsOverTime) == 0 {
			return fmt.Errorf("%+v", q)
		}
		if q.LastDay.NDCG < 0 || q.LastDay.NDCG > 1 || *q.LastDay.PopularNDCG > 1 || q.LastDay.Band[0] > q.LastDay.NDCG || q.LastDay.Band[1] < q.LastDay.NDCG {
			return fmt.Errorf("last day %+v", q.LastDay)
		}
		_, metrics, _ := s.Send("GET", "/metrics", "")
		if !strings.Contains(metrics, `tipoff_live_popular_ndcg{company="default",window="1h"}`) {
			return fmt.Errorf("no metric of popularity among %d bytes", len(metrics))
		}
		return nil
	})
}

// TestNode_CountsTheBetsOnAnEvent from the database and from memory.
func TestNode_CountsTheBetsOnAnEvent(t *testing.T) {
	t.Parallel()
	s := readCompany(t, blackbox.Start(t, blackbox.Settings(t.TempDir())))
	s.Eventually(func() error {
		var c tipoff.EventCounts
		if err := s.Get("/v1/events/"+s.ID("e0")+"/counts", &c); err != nil {
			return err
		}
		if c.Bets != 2 || len(c.Outcomes) != 1 || c.Outcomes[0].Bets != 2 || c.Outcomes[0].Stake != 101 || len(c.Countries) != 1 || c.Countries[0].Bets != 1 || len(c.Hours) == 0 {
			return fmt.Errorf("counts %+v", c)
		}
		if c.Held == nil || c.Held.Bets != 2 || c.Held.LastBet == nil || len(c.Neighbours) == 0 || !c.Held.Open {
			return fmt.Errorf("held %+v, neighbours %+v", c.Held, c.Neighbours)
		}
		return nil
	})
	if status, body, _ := s.Send("GET", "/v1/events/"+s.ID("none")+"/counts", ""); status != 404 {
		t.Errorf("an event that nobody knows: %d %s", status, body)
	}
}
