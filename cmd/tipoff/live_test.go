package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff"
)

// TestLive runs the black-box tests against the Tipoff that TIPOFF_TEST_URL names.
func TestLive(t *testing.T) {
	url := os.Getenv("TIPOFF_TEST_URL")
	if url == "" {
		t.Skip("no running Tipoff is named: make test-live URL=http://host:5000")
	}
	blackBox(t, url)
}

// service is a Tipoff as its clients see it. All ids of a run begin alike, so that
// runs do not meet.
type service struct {
	*testing.T
	url, run string
}

// blackBox tests what clients may rely on, with any other data beside it.
func blackBox(t *testing.T, url string) {
	s := &service{t, strings.TrimSuffix(url, "/"), fmt.Sprintf("%x", rand.Uint32())}
	for _, c := range []struct {
		name string
		test func(*service)
	}{
		{"OldClientWorksUnchanged", oldClient},
		{"OneBetChangesTheNextRecommendation", oneBet},
		{"PostsOfEveryForm", postsOfEveryForm},
		{"BetsBeforeTheirEventAndUser", betsBefore},
		{"EventsCloseAndOpen", eventsClose},
		{"RepeatsCountOnce", repeatsCount},
		{"OddUnicode", oddUnicode},
		{"WhatIsWrongIsRefused", whatIsWrong},
		{"Operations", operations},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := *s
			own.T = t
			own.run = fmt.Sprintf("%s-%x", s.run, rand.Uint32())
			c.test(&own)
		})
	}
}

func (s *service) id(name string) string { return s.run + "-" + name }

// send sends a request with a JSON body, if any.
func (s *service) send(method, path, body string, header ...string) (status int, answer string, h http.Header) {
	s.Helper()
	q, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	if key := os.Getenv("TIPOFF_TEST_KEY"); key != "" {
		q.Header.Set("X-API-Key", key)
	}
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	a, err := client.Do(q)
	if err != nil {
		s.Fatalf("%s %s: %v", method, path, err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		s.Fatalf("%s %s: %v", method, path, err)
	}
	return a.StatusCode, string(b), a.Header
}

func (s *service) post(path string, status int, value any) {
	s.Helper()
	body, err := json.Marshal(value)
	if err != nil {
		s.Fatal(err)
	}
	if got, answer, _ := s.send("POST", path, string(body)); got != status {
		s.Fatalf("POST %s: %d %s, want %d", path, got, answer, status)
	}
}

func (s *service) get(path string, value any) error {
	status, body, _ := s.send("GET", path, "")
	if status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", path, status, body)
	}
	return json.Unmarshal([]byte(body), value)
}

func (s *service) eventually(holds func() error) {
	s.Helper()
	eventually(s.T, 30*time.Second, holds)
}

func (s *service) user(name string) tipoff.User {
	return tipoff.User{ID: s.id(name), BirthYear: 1990, Country: "USA", Currency: "USD", Gender: "male", RegistrationDate: time.Now().AddDate(-1, 0, 0)}
}

func (s *service) event(name, league string) tipoff.Event {
	begin := time.Now().Add(30 * time.Hour).UTC().Truncate(time.Second)
	return tipoff.Event{
		ID: s.id(name), Begin: begin, End: begin.Add(2 * time.Hour), Country: "USA", League: s.id(league), Sport: s.id("sport"),
		Participants: []string{s.id("home " + name), s.id("away " + name)}, Status: tipoff.StatusOpen,
	}
}

func (s *service) coupon(name, user string, events ...string) tipoff.Coupon {
	c := tipoff.Coupon{ID: s.id(name), UserID: s.id(user), Stake: 50.5, Timestamp: time.Now().UTC()}
	for _, e := range events {
		c.Selections = append(c.Selections, tipoff.Selection{EventID: s.id(e), Odds: 2, Market: "winner", Outcome: "1"})
	}
	return c
}

// recommended are the names of the events recommended to a user, of this run's
// sport only.
func (s *service) recommended(user string, n int) ([]string, tipoff.Recommendation, error) {
	var r tipoff.Recommendation
	err := s.get(fmt.Sprintf("/v1/recommendations?user_id=%s&n=%d&sport=%s", url.QueryEscape(s.id(user)), n, url.QueryEscape(s.id("sport"))), &r)
	names := []string{}
	for _, item := range r.Items {
		names = append(names, strings.TrimPrefix(item.Event.ID, s.run+"-"))
	}
	return names, r, err
}

func (s *service) wantRecommended(user string, wanted ...string) {
	s.Helper()
	s.eventually(func() error {
		names, _, err := s.recommended(user, 100)
		slices.Sort(names)
		slices.Sort(wanted)
		if err == nil && !slices.Equal(names, wanted) {
			err = fmt.Errorf("%s is recommended %v, want %v", user, names, wanted)
		}
		return err
	})
}

func (s *service) wantBets(user string, bets uint64) {
	s.Helper()
	s.eventually(func() error {
		var a tipoff.Affinities
		err := s.get("/v1/users/"+url.PathEscape(s.id(user))+"/affinities", &a)
		if err == nil && a.Bets != bets {
			err = fmt.Errorf("%s has %d bets, want %d", user, a.Bets, bets)
		}
		return err
	})
}

// oldClient does what a client of the old service does, with the bodies of its
// documentation.
func oldClient(s *service) {
	if status, body, _ := s.send("GET", "/hello", ""); status != 200 || body != "Hello World" {
		s.Errorf("/hello: %d %q", status, body)
	}
	day := time.Now().AddDate(0, 0, 3).UTC().Format(time.DateOnly)
	end := time.Now().AddDate(0, 0, 5).UTC().Format(time.DateOnly)
	user := fmt.Sprintf(`{"user_id": %q, "birth_year": 1990, "country": "USA", "currency": "USD", "gender": "male", "registration_date": "2023-05-17"}`, s.id("u"))
	var events [4]string
	for i := range events {
		events[i] = fmt.Sprintf(`{"event_id": %q, "begin_timestamp": %q, "end_timestamp": %q, "country": "USA", "league": %q, "participants": ["Team A", "Team B"], "sport": %q, "ignored": 7}`,
			s.id(fmt.Sprint("e", i)), day, end, s.id("Test League"), s.id("Test"))
	}
	coupon := fmt.Sprintf(`{"coupon_id": %q, "user_id": %q, "stake": 50.5, "timestamp": "2020-01-01T01:05:01", "selections": [{"event_id": %q, "odds": 10.0}]}`,
		s.id("c"), s.id("u"), s.id("e0"))
	for _, c := range [][2]string{{"/register_user", user}, {"/register_event", events[0]}, {"/register_event", events[1]},
		{"/register_event", events[2]}, {"/register_event", events[3]}, {"/register_coupon", coupon}} {
		if status, body, _ := s.send("POST", c[0], c[1]); status != 200 || body != c[1] {
			s.Fatalf("POST %s: %d %s, want the body as it was posted", c[0], status, body)
		}
	}
	ask := func(query string) (list []map[string]any, err error) {
		err = s.get("/recommend?user_id="+s.id("u")+query, &list)
		return list, err
	}
	var followed []map[string]any
	s.eventually(func() (err error) { // n=0: all of the sports and leagues that the user follows, but for the event of the bet
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
		if !whole || id != float64(int64(id)) || e["begin_timestamp"] != day || e["end_timestamp"] != end || e["league"] != s.id("Test League") {
			s.Errorf("event %v", e)
		}
	}
	for query, n := range map[string]int{"": 1, "&n=-1": 1, "&n=2": 2} {
		if list, err := ask(query); err != nil || len(list) != n {
			s.Errorf("%s: %d events, %v; want %d", query, len(list), err, n)
		}
	}
	for _, path := range []string{"/recommend", "/recommend?user_id=u&n=x"} {
		if status, body, _ := s.send("GET", path, ""); status != 400 || !strings.HasPrefix(body, `{"error":"`) {
			s.Errorf("GET %s: %d %s", path, status, body)
		}
	}
}

func oneBet(s *service) {
	for i := range 4 {
		s.post("/v1/events", 202, s.event(fmt.Sprint("a", i), "A"))
		s.post("/v1/events", 202, s.event(fmt.Sprint("b", i), "B"))
	}
	s.post("/v1/users", 202, s.user("u"))
	s.wantRecommended("u", "a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3")
	s.post("/v1/coupons", 202, s.coupon("c1", "u", "b0", "b1"))
	s.eventually(func() error {
		names, r, err := s.recommended("u", 2)
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
	s.wantBets("u", 2)
	var profile tipoff.User
	if err := s.get("/v1/users/"+s.id("u"), &profile); err != nil || profile.ID != s.id("u") || profile.Country != "USA" {
		s.Errorf("%+v, %v", profile, err)
	}
	s.eventually(func() error { // the database follows
		var page struct {
			Coupons []tipoff.Coupon `json:"coupons"`
		}
		err := s.get("/v1/users/"+s.id("u")+"/coupons", &page)
		if err == nil && (len(page.Coupons) != 1 || len(page.Coupons[0].Selections) != 2 || page.Coupons[0].Stake != 50.5) {
			err = fmt.Errorf("coupons: %+v", page.Coupons)
		}
		return err
	})
	s.eventually(func() error {
		var page struct {
			Events []tipoff.Event `json:"events"`
		}
		err := s.get("/v1/events?status=any&league="+url.QueryEscape(s.id("B")), &page)
		if err == nil && len(page.Events) != 4 {
			err = fmt.Errorf("%d events in the archive", len(page.Events))
		}
		return err
	})
}

func postsOfEveryForm(s *service) {
	line := func(e tipoff.Event) string {
		b, err := json.Marshal(e)
		if err != nil {
			s.Fatal(err)
		}
		return string(b)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, "["+line(s.event("gz", "A"))+"]")
	_ = w.Close()
	for _, c := range [][]string{
		{line(s.event("one", "A"))},
		{"[" + line(s.event("two", "A")) + "," + line(s.event("three", "A")) + "]"},
		{line(s.event("four", "A")) + "\n" + line(s.event("five", "A")) + "\n", "Content-Type", "application/x-ndjson"},
		{packed.String(), "Content-Encoding", "gzip"},
	} {
		if status, body, _ := s.send("POST", "/v1/events", c[0], c[1:]...); status != 202 {
			s.Errorf("%.60q: %d %s", c[0], status, body)
		}
	}
	many := make([]tipoff.Event, 1000)
	for i := range many {
		many[i] = s.event(fmt.Sprint("many", i%2), "A")
	}
	s.post("/v1/events", 202, many)
	s.wantRecommended("nobody", "one", "two", "three", "four", "five", "gz", "many0", "many1")
	status, body, _ := s.send("POST", "/v1/events", "["+line(s.event("six", "A"))+`,{"event_id":"x"}]`)
	var result struct {
		Accepted int
		Rejected []tipoff.Fault
	}
	if err := json.Unmarshal([]byte(body), &result, json.MatchCaseInsensitiveNames(true)); err != nil || status != 207 || result.Accepted != 1 || result.Rejected[0].Index != 1 {
		s.Errorf("%d %s", status, body)
	}
}

func betsBefore(s *service) {
	s.post("/v1/coupons", 202, []tipoff.Coupon{s.coupon("c1", "stranger", "late", "known"), s.coupon("c2", "stranger", "late2", "known2")})
	s.post("/v1/events", 202, []tipoff.Event{s.event("known", "A"), s.event("known2", "A"), s.event("other", "B")})
	s.wantBets("stranger", 2)
	s.wantRecommended("stranger", "other")
	s.post("/v1/events", 202, s.event("late", "A"))
	s.wantBets("stranger", 3)
	s.post("/v1/events", 202, s.event("late2", "A"))
	s.wantBets("stranger", 4)
	s.post("/v1/users", 202, s.user("stranger"))
	s.eventually(func() error { return s.get("/v1/users/"+s.id("stranger"), new(tipoff.User)) })
	s.wantBets("stranger", 4)
}

func eventsClose(s *service) {
	patch := func(name, body string) {
		s.Helper()
		if status, answer, _ := s.send("PATCH", "/v1/events/"+url.PathEscape(s.id(name)), body); status != 202 {
			s.Fatalf("PATCH %s: %d %s", name, status, answer)
		}
	}
	patch("early", `{"status":"suspended"}`) // before its event
	for _, name := range []string{"a", "b", "c", "early"} {
		s.post("/v1/events", 202, s.event(name, "A"))
	}
	s.wantRecommended("u", "a", "b", "c")
	patch("a", `{"status":"finished","result":"2:1"}`)
	patch("b", `{"begin_timestamp":"2020-01-01T00:00:00Z"}`)
	patch("early", `{"status":"open"}`)
	s.wantRecommended("u", "c", "early")
	var e tipoff.Event
	if err := s.get("/v1/events/"+s.id("a"), &e); err != nil || e.Status != tipoff.StatusFinished || e.Result != "2:1" {
		s.Errorf("%+v, %v", e, err)
	}
	again := s.event("a", "A") // posted again: open, as it says
	s.post("/v1/events", 202, again)
	s.wantRecommended("u", "a", "c", "early")
}

func repeatsCount(s *service) {
	s.post("/v1/events", 202, []tipoff.Event{s.event("a", "A"), s.event("b", "A")})
	bet := s.coupon("c", "u", "a")
	for range 3 {
		s.post("/v1/coupons", 202, []tipoff.Coupon{bet, bet})
	}
	bet.Stake = 1
	s.post("/v1/coupons", 202, bet) // another content: the first one stands
	s.post("/v1/coupons", 202, s.coupon("last", "u", "b"))
	s.wantBets("u", 2)
	s.eventually(func() error {
		var page struct {
			Coupons []tipoff.Coupon `json:"coupons"`
		}
		err := s.get("/v1/users/"+s.id("u")+"/coupons", &page)
		if err == nil && (len(page.Coupons) != 2 || page.Coupons[1].Stake != 50.5) {
			err = fmt.Errorf("coupons: %+v", page.Coupons)
		}
		return err
	})
}

func oddUnicode(s *service) {
	name := "Ünï 🎾 ＃/?&=%+\"'\\ عربي"
	s.post("/v1/events", 202, s.event(name, name[:20]))
	s.post("/v1/users", 202, s.user(name))
	s.post("/v1/coupons", 202, s.coupon(name, name, name))
	s.wantBets(name, 1)
	s.eventually(func() error {
		var e tipoff.Event
		err := s.get("/v1/events/"+url.PathEscape(s.id(name)), &e)
		if err == nil && e.ID != s.id(name) {
			err = fmt.Errorf("event %q", e.ID)
		}
		return err
	})
	s.eventually(func() error {
		var page struct {
			Coupons []tipoff.Coupon `json:"coupons"`
		}
		err := s.get("/v1/users/"+url.PathEscape(s.id(name))+"/coupons", &page)
		if err == nil && (len(page.Coupons) != 1 || page.Coupons[0].ID != s.id(name) || page.Coupons[0].Selections[0].EventID != s.id(name)) {
			err = fmt.Errorf("coupons %+v", page.Coupons)
		}
		return err
	})
}

func whatIsWrong(s *service) {
	good := fmt.Sprintf(`{"coupon_id":%q,"user_id":%q,"stake":5,"timestamp":"2020-01-01","selections":[{"event_id":"e","odds":2}]}`, s.id("c"), s.id("u"))
	for _, c := range []struct{ body, part string }{
		{strings.Replace(good, `"stake":5`, `"stake":"5"`, 1), "stake"},
		{strings.Replace(good, `"stake":5`, `"stake":NaN`, 1), "not valid JSON"},
		{strings.Replace(good, `"stake":5,`, ``, 1), "stake: is required"},
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
			status, body, _ := s.send("POST", path, c.body)
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
			if status, body, _ := s.send("POST", path, c.body, "Content-Type", c.kind); status != c.status {
				s.Errorf("POST %s as %s: %d %.300s, want %d", path, c.kind, status, body, c.status)
			}
		}
	}
	if status, _, _ := s.send("GET", "/v1/users/"+s.id("u")+"/affinities", ""); status != 404 {
		s.Errorf("a user of refused coupons only is known: %d", status)
	}
}

func operations(s *service) {
	for path, part := range map[string]string{
		"/healthz": `"ok"`, "/readyz": `"ready":true`, "/openapi.yaml": "openapi: 3.1", "/docs": "swagger",
		"/metrics": "tipoff_http_requests_total",
	} {
		if status, body, _ := s.send("GET", path, ""); status != 200 || !strings.Contains(body, part) {
			s.Errorf("GET %s: %d, want %q in it", path, status, part)
		}
	}
	_, body, _ := s.send("GET", "/metrics", "")
	for _, name := range []string{"tipoff_http_request_seconds_bucket", "tipoff_freshness_seconds_bucket", "tipoff_view_entries", "tipoff_publisher_outstanding_bytes", "go_goroutines"} {
		if !strings.Contains(body, name) {
			s.Errorf("/metrics has no %s", name)
		}
	}
}
