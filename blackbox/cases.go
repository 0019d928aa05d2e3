package blackbox

import (
	"fmt"
	"net/url"
	"strings"

	"tipoff"
)

func betsBefore(s *Service) {
	s.Post("/v1/coupons", 202, []tipoff.Coupon{s.Coupon("c1", "stranger", "late", "known"), s.Coupon("c2", "stranger", "late2", "known2")})
	s.Post("/v1/events", 202, []tipoff.Event{s.Event("known", "A"), s.Event("known2", "A"), s.Event("other", "B")})
	s.WantBets("stranger", 2)
	s.WantRecommended("stranger", "other")
	s.Post("/v1/events", 202, s.Event("late", "A"))
	s.WantBets("stranger", 3)
	s.Post("/v1/events", 202, s.Event("late2", "A"))
	s.WantBets("stranger", 4)
	s.Post("/v1/users", 202, s.User("stranger"))
	s.Eventually(func() error { return s.Get("/v1/users/"+s.ID("stranger"), new(tipoff.User)) })
	s.WantBets("stranger", 4)
}

func eventsClose(s *Service) {
	patch := func(name, body string) {
		s.Helper()
		if status, answer, _ := s.Send("PATCH", "/v1/events/"+url.PathEscape(s.ID(name)), body); status != 202 {
			s.Fatalf("PATCH %s: %d %s", name, status, answer)
		}
	}
	patch("early", `{"status":"suspended"}`) // before its event
	for _, name := range []string{"a", "b", "c", "early"} {
		s.Post("/v1/events", 202, s.Event(name, "A"))
	}
	s.WantRecommended("u", "a", "b", "c")
	patch("a", `{"status":"finished","result":"2:1"}`)
	patch("b", `{"begin_timestamp":"2020-01-01T00:00:00Z"}`)
	patch("early", `{"status":"open"}`)
	s.WantRecommended("u", "c", "early")
	var e tipoff.Event
	if err := s.Get("/v1/events/"+s.ID("a"), &e); err != nil || e.Status != tipoff.StatusFinished || e.Result != "2:1" {
		s.Errorf("%+v, %v", e, err)
	}
	again := s.Event("a", "A") // posted again: open, as it says
	s.Post("/v1/events", 202, again)
	s.WantRecommended("u", "a", "c", "early")
}

func repeatsCount(s *Service) {
	s.Post("/v1/events", 202, []tipoff.Event{s.Event("a", "A"), s.Event("b", "A")})
	bet := s.Coupon("c", "u", "a")
	for range 3 {
		s.Post("/v1/coupons", 202, []tipoff.Coupon{bet, bet})
	}
	bet.Stake = 1
	s.Post("/v1/coupons", 202, bet) // another content: the first one stands
	s.Post("/v1/coupons", 202, s.Coupon("last", "u", "b"))
	s.WantBets("u", 2)
	s.Eventually(func() error {
		var page struct {
			Coupons []tipoff.Coupon `json:"coupons"`
		}
		err := s.Get("/v1/users/"+s.ID("u")+"/coupons", &page)
		if err == nil && (len(page.Coupons) != 2 || page.Coupons[1].Stake != 50.5) {
			err = fmt.Errorf("coupons: %+v", page.Coupons)
		}
		return err
	})
}

func oddUnicode(s *Service) {
	name := "Ünï 🎾 ＃/?&=%+\"'\\ عربي"
	s.Post("/v1/events", 202, s.Event(name, name[:20]))
	s.Post("/v1/users", 202, s.User(name))
	s.Post("/v1/coupons", 202, s.Coupon(name, name, name))
	s.WantBets(name, 1)
	s.Eventually(func() error {
		var e tipoff.Event
		err := s.Get("/v1/events/"+url.PathEscape(s.ID(name)), &e)
		if err == nil && e.ID != s.ID(name) {
			err = fmt.Errorf("event %q", e.ID)
		}
		return err
	})
	s.Eventually(func() error {
		var page struct {
			Coupons []tipoff.Coupon `json:"coupons"`
		}
		err := s.Get("/v1/users/"+url.PathEscape(s.ID(name))+"/coupons", &page)
		if err == nil && (len(page.Coupons) != 1 || page.Coupons[0].ID != s.ID(name) || page.Coupons[0].Selections[0].EventID != s.ID(name)) {
			err = fmt.Errorf("coupons %+v", page.Coupons)
		}
		return err
	})
}

func whatIsWrong(s *Service) {
	good := fmt.Sprintf(`{"coupon_id":%q,"user_id":%q,"stake":5,"timestamp":"2020-01-01","selections":[{"event_id":"e","odds":2}]}`, s.ID("c"), s.ID("u"))
	for _, c := range []struct{ body, part string }{
		{strings.Replace(good, `"stake":5`, `"stake":"5"`, 1), "stake"},
		{strings.Replace(good, `"stake":5`, `"stake":NaN`, 1), "not valid JSON"},
		{strings.Replace(good, `"stake":5,`, ``, 1), "is required"},
		{strings.Replace(good, `"odds":2`, `"odds":0.99`, 1), "selections[0].odds"},
		{strings.Replace(good, `2020-01-01`, `2999-01-01`, 1), "one day ahead"},
		{strings.Replace(good, `2020-01-01`, `yesterday`, 1), "timestamp"},
		{strings.Replace(good, `{"event_id":"e","odds":2}`, `{"event_id":"e","odds":2},{"event_id":"e","odds":3}`, 1), "once"},
		{strings.Replace(good, `"stake":5`, `"stake":5,"extra":`+strings.Repeat("[", 20_000), 1), ""},
		{`{"coupon_id":"` + "\xff\xfe" + `"}`, "not valid JSON"},
		{`{"coupon_id":"\ud800"}`, "not valid JSON"},
		{"null", "must be an object"},
		{"", ""},
	} {
		for _, path := range []string{"/v1/coupons", "/register_coupon"} {
			status, body, _ := s.Send("POST", path, c.body)
			if status != 400 || !strings.Contains(body, c.part) {
				s.Errorf("POST %s %.100q: %d %.300s, want 400 and %q", path, c.body, status, body, c.part)
			}
		}
	}
	for _, c := range []struct {
		body, kind string
		status     int
	}{{good, "text/plain", 415}, {strings.Repeat(" ", 5<<20), "application/json", 413}} {
		for _, path := range []string{"/v1/coupons", "/register_coupon"} {
			if status, body, _ := s.Send("POST", path, c.body, "Content-Type", c.kind); status != c.status {
				s.Errorf("POST %s as %s: %d %.300s, want %d", path, c.kind, status, body, c.status)
			}
		}
	}
	if status, _, _ := s.Send("GET", "/v1/users/"+s.ID("u")+"/affinities", ""); status != 404 {
		s.Errorf("a user of refused coupons only is known: %d", status)
	}
}

func operations(s *Service) {
	for path, part := range map[string]string{
		"/healthz": `"ok"`, "/readyz": `"ready":true`, "/openapi.yaml": "openapi: 3.1", "/docs": "swagger",
		"/metrics": "tipoff_http_requests_total",
	} {
		if status, body, _ := s.Send("GET", path, ""); status != 200 || !strings.Contains(body, part) {
			s.Errorf("GET %s: %d, want %q in it", path, status, part)
		}
	}
	_, body, _ := s.Send("GET", "/metrics", "")
	for _, name := range []string{"tipoff_http_request_duration_seconds_bucket", "tipoff_freshness_seconds_bucket", "tipoff_view_entries", "tipoff_publisher_outstanding_bytes", "tipoff_build_info{commit=", "go_goroutines"} {
		if !strings.Contains(body, name) {
			s.Errorf("/metrics has no %s", name)
		}
	}
}
