package blackbox

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff"
)

// Run tests what clients may rely on, with any other data beside it.
func Run(t *testing.T, url string) {
	s := &Service{t, strings.TrimSuffix(url, "/"), fmt.Sprintf("%x", rand.Uint32())}
	for _, c := range []struct {
		name string
		test func(*Service)
	}{
		{"OldClientWorksUnchanged", oldClient},
		{"OneBetChangesTheNextRecommendation", OneBet},
		{"PostsOfEveryForm", postsOfEveryForm},
		{"BetsBeforeTheirEventAndUser", betsBefore},
		{"EventsCloseAndOpen", eventsClose},
		{"RepeatsCountOnce", repeatsCount},
		{"PostsAgainUndoNothing", postsAgain},
		{"OddUnicode", oddUnicode},
		{"WhatIsWrongIsRefused", whatIsWrong},
		{"Operations", operations},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := *s
			own.T = t
			own.Prefix = fmt.Sprintf("%s-%x", s.Prefix, rand.Uint32())
			c.test(&own)
		})
	}
}

// oldClient does what a client of the old service does, with the bodies of its
// documentation.
func oldClient(s *Service) {
	if status, body, _ := s.Send("GET", "/hello", ""); status != 200 || body != "Hello World" {
		s.Errorf("/hello: %d %q", status, body)
	}
	day := time.Now().AddDate(0, 0, 3).UTC().Format(time.DateOnly)
	end := time.Now().AddDate(0, 0, 5).UTC().Format(time.DateOnly)
	user := fmt.Sprintf(`{"user_id": %q, "birth_year": 1990, "country": "USA", "currency": "USD", "gender": "male", "registration_date": "2023-05-17"}`, s.ID("u"))
	var events [4]string
	for i := range events {
		events[i] = fmt.Sprintf(`{"event_id": %q, "begin_timestamp": %q, "end_timestamp": %q, "country": "USA", "league": %q, "participants": ["Team A", "Team B"], "sport": %q, "ignored": 7}`,
			s.ID(fmt.Sprint("e", i)), day, end, s.ID("Test League"), s.ID("Test"))
	}
	coupon := fmt.Sprintf(`{"coupon_id": %q, "user_id": %q, "stake": 50.5, "timestamp": "2020-01-01T01:05:01", "selections": [{"event_id": %q, "odds": 10.0}]}`,
		s.ID("c"), s.ID("u"), s.ID("e0"))
	for _, c := range [][2]string{{"/register_user", user}, {"/register_event", events[0]}, {"/register_event", events[1]},
		{"/register_event", events[2]}, {"/register_event", events[3]}, {"/register_coupon", coupon}} {
		if status, body, _ := s.Send("POST", c[0], c[1]); status != 200 || body != c[1] {
			s.Fatalf("POST %s: %d %s, want the body as it was posted", c[0], status, body)
		}
	}
	ask := func(query string) (list []map[string]any, err error) {
		err = s.Get("/recommend?user_id="+s.ID("u")+query, &list)
		return list, err
	}
	var followed []map[string]any
	s.Eventually(func() (err error) { // n=0: all of the sports and leagues that the user follows, but for the event of the bet
		followed, err = ask("&n=0")
		if err == nil && len(followed) != 3 {
			err = fmt.Errorf("n=0: %d events, want 3: %v", len(followed), followed)
		}
		return err
	})
	for _, e := range followed {
		for _, field := range []string{"id", "event_id", "begin_timestamp", "end_timestamp", "country", "league", "participants", "sport"} {
			if _, has := e[field]; !has || len(e) != 8 {
				s.Errorf("event %v: want %s, and 8 fields", e, field)
			}
		}
		id, whole := e["id"].(float64)
		if !whole || id != float64(int64(id)) || e["begin_timestamp"] != day || e["end_timestamp"] != end || e["league"] != s.ID("Test League") {
			s.Errorf("event %v", e)
		}
	}
	for query, n := range map[string]int{"": 1, "&n=-1": 1, "&n=2": 2} {
		if list, err := ask(query); err != nil || len(list) != n {
			s.Errorf("%s: %d events, %v; want %d", query, len(list), err, n)
		}
	}
	for _, path := range []string{"/recommend", "/recommend?user_id=u&n=x"} {
		if status, body, _ := s.Send("GET", path, ""); status != 400 || !strings.HasPrefix(body, `{"error":"`) {
			s.Errorf("GET %s: %d %s", path, status, body)
		}
	}
}

// OneBet wants a bet to change what its bettor is recommended next.
func OneBet(s *Service) {
	for i := range 4 {
		s.Post("/v1/events", 202, s.Event(fmt.Sprint("a", i), "A"))
		s.Post("/v1/events", 202, s.Event(fmt.Sprint("b", i), "B"))
	}
	s.Post("/v1/users", 202, s.User("u"))
	s.WantRecommended("u", "a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3")
	s.Post("/v1/coupons", 202, s.Coupon("c1", "u", "b0", "b1"))
	s.Eventually(func() error {
		names, r, err := s.Recommended("u", 2)
		slices.Sort(names)
		if err == nil && (!slices.Equal(names, []string{"b2", "b3"}) || r.ColdStart) {
			err = fmt.Errorf("after a bet on B: %v", names)
		}
		for _, item := range r.Items {
			if item.Reason.Code == "" || item.Reason.Entity == "" {
				err = errors.Join(err, fmt.Errorf("item without a reason: %+v", item))
			}
		}
		return err
	})
	s.WantBets("u", 2)
	var profile tipoff.User
	if err := s.Get("/v1/users/"+s.ID("u"), &profile); err != nil || profile.ID != s.ID("u") || profile.Country != "USA" {
		s.Errorf("%+v, %v", profile, err)
	}
	s.Eventually(func() error { // the database follows
		var page struct {
			Coupons []tipoff.Coupon `json:"coupons"`
		}
		err := s.Get("/v1/users/"+s.ID("u")+"/coupons", &page)
		if err == nil && (len(page.Coupons) != 1 || len(page.Coupons[0].Selections) != 2 || page.Coupons[0].Stake != 50.5) {
			err = fmt.Errorf("coupons: %+v", page.Coupons)
		}
		return err
	})
	s.Eventually(func() error {
		var page struct {
			Events []tipoff.Event `json:"events"`
		}
		err := s.Get("/v1/events?status=any&league="+url.QueryEscape(s.ID("B")), &page)
		if err == nil && len(page.Events) != 4 {
			err = fmt.Errorf("%d events in the archive", len(page.Events))
		}
		return err
	})
}

func postsOfEveryForm(s *Service) {
	line := func(e tipoff.Event) string {
		b, err := json.Marshal(e)
		if err != nil {
			s.Fatal(err)
		}
		return string(b)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, "["+line(s.Event("gz", "A"))+"]")
	_ = w.Close()
	for _, c := range [][]string{
		{line(s.Event("one", "A"))},
		{"[" + line(s.Event("two", "A")) + "," + line(s.Event("three", "A")) + "]"},
		{line(s.Event("four", "A")) + "\n" + line(s.Event("five", "A")) + "\n", "Content-Type", "application/x-ndjson"},
		{packed.String(), "Content-Encoding", "gzip"},
	} {
		if status, body, _ := s.Send("POST", "/v1/events", c[0], c[1:]...); status != 202 {
			s.Errorf("%.60q: %d %s", c[0], status, body)
		}
	}
	many := make([]tipoff.Event, 1000)
	for i := range many {
		many[i] = s.Event(fmt.Sprint("many", i%2), "A")
	}
	s.Post("/v1/events", 202, many)
	s.WantRecommended("nobody", "one", "two", "three", "four", "five", "gz", "many0", "many1")
	status, body, _ := s.Send("POST", "/v1/events", "["+line(s.Event("six", "A"))+`,{"event_id":"x"}]`)
	var result struct {
		Accepted int
		Rejected []tipoff.Fault
	}
	if err := json.Unmarshal([]byte(body), &result, json.MatchCaseInsensitiveNames(true)); err != nil || status != 207 || result.Accepted != 1 || result.Rejected[0].Index != 1 {
		s.Errorf("%d %s", status, body)
	}
}
