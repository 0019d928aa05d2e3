package node_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tipoff/blackbox"
	"tipoff/http"
	"tipoff/node"
	"tipoff/topics"
)

// statusOf asks a process how it is.
func statusOf(s *blackbox.Service) (status http.Status, err error) {
	code, body, _ := s.Send("GET", "/v1/status", "")
	if code != 200 {
		return status, fmt.Errorf("status %d: %s", code, body)
	}
	return status, json.Unmarshal([]byte(body), &status)
}

func partOf(s http.Status, name string) http.StatusPart {
	i := slices.IndexFunc(s.Parts, func(p http.StatusPart) bool { return p.Name == name })
	if i < 0 {
		return http.StatusPart{Name: name, State: "not listed"}
	}
	return s.Parts[i]
}

func topicOf(s http.Status, name string) http.TopicFlow {
	i := slices.IndexFunc(s.Flow.Topics, func(t http.TopicFlow) bool { return t.Name == name })
	if i < 0 {
		return http.TopicFlow{}
	}
	return s.Flow.Topics[i]
}

func groupOf(s http.Status, name string) http.GroupFlow {
	i := slices.IndexFunc(s.Flow.Groups, func(t http.GroupFlow) bool { return t.Name == name })
	if i < 0 {
		return http.GroupFlow{}
	}
	return s.Flow.Groups[i]
}

func TestStatus_FollowsWhatIsPostedThroughEveryPart(t *testing.T) {
	t.Parallel()
	n := blackbox.Start(t, blackbox.Settings(t.TempDir()))
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "s"}
	s.Post("/v1/events", 202, s.Event("e", "A"))
	wrong := s.Coupon("c0", "u", "e")
	s.Post("/v1/coupons", 202, wrong)
	wrong.Stake++
	s.Post("/v1/coupons", 202, wrong)
	posted := 0
	s.Eventually(func() error {
		posted++
		s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("c", posted), "u", "e"))
		is, err := statusOf(s)
		if err != nil {
			return err
		}
		coupons, bettors, table := topicOf(is, topics.Coupons), groupOf(is, "bettors"), is.Flow.Tables[0]
		if coupons.Newest == nil || coupons.Rate == nil || *coupons.Rate == 0 || bettors.Rate == nil || *bettors.Rate == 0 || bettors.Lag == nil {
			return fmt.Errorf("topic %+v, group %+v", coupons, bettors)
		}
		if table.Name != "bettors" || table.Entries == nil || *table.Entries != 1 || table.Rate == nil || *table.Rate == 0 {
			return fmt.Errorf("table %+v", table)
		}
		if is.Posts == nil || *is.Posts == 0 || is.Freshness == nil || is.Freshness.Count == 0 || is.Freshness.P50 <= 0 || is.Freshness.P99 < is.Freshness.P50 {
			return fmt.Errorf("posts %v, freshness %+v", is.Posts, is.Freshness)
		}
		if is.Rejected == nil || *is.Rejected != 1 {
			return fmt.Errorf("rejected %v, want the one that contradicts", is.Rejected)
		}
		for _, p := range is.Parts {
			if p.State != http.PartReady || p.Do != "" || p.Since == nil || p.Since.Before(is.Started) {
				return fmt.Errorf("%+v", p)
			}
		}
		if is.Role != "run" || !is.Ready || is.Memory == 0 || len(is.Parts) < 10 {
			return fmt.Errorf("%+v", is)
		}
		return nil
	})
}

// TestStatus_WhatAnotherProcessKnowsIsNull: never 0, as that would be a lie.
func TestStatus_WhatAnotherProcessKnowsIsNull(t *testing.T) {
	t.Parallel()
	_, settings := outside(t)
	gateway, processors := blackbox.Start(t, settings, node.API), blackbox.Start(t, settings, node.Processors)
	is, err := statusOf(&blackbox.Service{T: t, URL: gateway.URL()})
	if err != nil {
		t.Fatal(err)
	}
	if p := partOf(is, "bettors"); p.State != http.PartAbsent || p.Lag != nil || p.Since != nil || p.Do == "" {
		t.Errorf("%+v", p)
	}
	if p := partOf(is, "view of bettors"); p.State != http.PartReady || p.Lag == nil || p.Oldest == nil {
		t.Errorf("%+v", p)
	}
	if c, g := topicOf(is, topics.Coupons), groupOf(is, "sink"); c.Name == "" || c.Newest != nil || g.Name == "" || g.Lag != nil || is.Rejected != nil || is.Role != "api" {
		t.Errorf("topic %+v, group %+v, rejected %v, role %s", c, g, is.Rejected, is.Role)
	}
	other := &blackbox.Service{T: t, URL: processors.URL()}
	other.Eventually(func() error {
		is, err = statusOf(other)
		if err == nil && (is.Lookups != nil || is.Flow.Tables[0].Entries != nil || is.Rejected == nil || partOf(is, "gateway").State != http.PartAbsent) {
			err = fmt.Errorf("%+v", is)
		}
		if err == nil && groupOf(is, "bettors").Lag == nil {
			err = errors.New("the lag of its own group is not known")
		}
		return err
	})
}

func TestStatus_SaysSinceWhenTheBrokerIsAwayAndWhatToDo(t *testing.T) {
	t.Parallel()
	kafka, settings := outside(t)
	n := blackbox.Start(t, settings, node.API)
	s := &blackbox.Service{T: t, URL: n.URL()}
	before, err := statusOf(s)
	if err != nil {
		t.Fatal(err)
	}
	gate, away := make(chan struct{}), time.Now().UTC()
	kafka.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		<-gate
		return nil, nil, false
	})
	s.Eventually(func() error {
		is, err := statusOf(s)
		p := partOf(is, "broker")
		if err == nil && (p.State != http.PartFailing || p.Do == "" || p.Detail == "" || p.Since.Before(away) || p.Lag != nil) {
			err = fmt.Errorf("broker %+v", p)
		}
		if v := partOf(is, "view of bettors"); err == nil && (v.State == http.PartReady || v.Do == "") {
			err = fmt.Errorf("view %+v", v)
		}
		return err
	})
	close(gate)
	s.Eventually(func() error {
		is, err := statusOf(s)
		if p := partOf(is, "broker"); err == nil && (p.State != http.PartReady || !p.Since.After(*partOf(before, "broker").Since)) {
			err = fmt.Errorf("broker %+v", p)
		}
		return err
	})
}

func TestJourney_OfACouponGoesThroughTheWholeProcess(t *testing.T) {
	t.Parallel()
	n := blackbox.Start(t, blackbox.Settings(t.TempDir()))
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "j"}
	s.Post("/v1/events", 202, s.Event("e", "A"))
	s.Post("/v1/coupons", 202, s.Coupon("before", "u", "e"))
	path := func(c string) string {
		coupon := s.Coupon(c, "u", "e")
		return "/v1/coupons/" + coupon.ID + "/journey?user_id=" + coupon.UserID
	}
	if code, body, _ := s.Send("GET", path("before"), ""); code != 404 {
		t.Errorf("of one that nobody has followed: %d %s", code, body)
	}
	s.Post("/v1/coupons", 202, s.Coupon("c", "u", "e")) // somebody asks
	s.Eventually(func() error {
		code, body, _ := s.Send("GET", path("c"), "")
		var way struct {
			Stages []http.Stage `json:"stages"`
		}
		if err := json.Unmarshal([]byte(body), &way); err != nil || code != 200 || len(way.Stages) != 6 {
			return fmt.Errorf("%d %s, %w", code, body, err)
		}
		for _, stage := range way.Stages {
			if stage.Millis == nil || *stage.Millis < 0 {
				return fmt.Errorf("%s: %s", stage.Stage, body)
			}
		}
		return nil
	})
}
