// Package blackbox is for tests alone: it checks on a running Tipoff what its clients
// may rely on, whether the Tipoff runs in the test's process, in others, or somewhere
// else. [Run] is the suite for any Tipoff, with any other data beside; [FirstHours] is
// for an empty one; a [Company] is data whose tables can be compared, before and after
// whatever is done to them. [Start] runs a whole Tipoff in the test's process.
package blackbox

import (
	"context"
	"fmt"
	"io"
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

// Service is a Tipoff as its clients see it. All ids of a run begin alike, so that
// runs do not meet.
type Service struct {
	*testing.T
	URL    string
	Prefix string // of every id
}

// ID is an id of this run.
func (s *Service) ID(name string) string { return s.Prefix + "-" + name }

// Send sends a request with a JSON body, if any.
func (s *Service) Send(method, path, body string, header ...string) (status int, answer string, h http.Header) {
	s.Helper()
	q, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
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
	q.Host = q.Header.Get("Host") // "": the URL's
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

// Post posts a value, and wants the status.
func (s *Service) Post(path string, status int, value any) {
	s.Helper()
	body, err := json.Marshal(value)
	if err != nil {
		s.Fatal(err)
	}
	if got, answer, _ := s.Send("POST", path, string(body)); got != status {
		s.Fatalf("POST %s: %d %s, want %d", path, got, answer, status)
	}
}

// Get reads an answer of status 200 into value.
func (s *Service) Get(path string, value any) error {
	status, body, _ := s.Send("GET", path, "")
	if status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", path, status, body)
	}
	return json.Unmarshal([]byte(body), value)
}

// Eventually waits for a condition, as long as a client would.
func (s *Service) Eventually(holds func() error) {
	s.Helper()
	Eventually(s.T, 30*time.Second, holds)
}

// User, Event and Coupon are of this run, and as they should be.
func (s *Service) User(name string) tipoff.User {
	return tipoff.User{ID: s.ID(name), BirthYear: 1990, Country: "USA", Currency: "USD", Gender: "male", RegistrationDate: time.Now().AddDate(-1, 0, 0)}
}

func (s *Service) Event(name, league string) tipoff.Event {
	begin := time.Now().Add(30 * time.Hour).UTC().Truncate(time.Second)
	return tipoff.Event{
		ID: s.ID(name), Begin: begin, End: begin.Add(2 * time.Hour), Country: "USA", League: s.ID(league), Sport: s.ID("sport"),
		Participants: []string{s.ID("home " + name), s.ID("away " + name)}, Status: tipoff.StatusOpen,
	}
}

func (s *Service) Coupon(name, user string, events ...string) tipoff.Coupon {
	c := tipoff.Coupon{ID: s.ID(name), UserID: s.ID(user), Stake: 50.5, Timestamp: time.Now().UTC()}
	for _, e := range events {
		c.Selections = append(c.Selections, tipoff.Selection{EventID: s.ID(e), Odds: 2, Market: "winner", Outcome: "1"})
	}
	return c
}

// Recommended returns the names of the events recommended to a user, of this run's
// sport only.
func (s *Service) Recommended(user string, n int) ([]string, tipoff.Recommendation, error) {
	var r tipoff.Recommendation
	err := s.Get(fmt.Sprintf("/v1/recommendations?user_id=%s&n=%d&sport=%s", url.QueryEscape(s.ID(user)), n, url.QueryEscape(s.ID("sport"))), &r)
	names := []string{}
	for _, item := range r.Items {
		names = append(names, strings.TrimPrefix(item.Event.ID, s.Prefix+"-"))
	}
	return names, r, err
}

// WantRecommended waits until just these events are recommended to a user.
func (s *Service) WantRecommended(user string, wanted ...string) {
	s.Helper()
	s.Eventually(func() error {
		names, _, err := s.Recommended(user, 100)
		slices.Sort(names)
		slices.Sort(wanted)
		if err == nil && !slices.Equal(names, wanted) {
			err = fmt.Errorf("%s is recommended %v, want %v", user, names, wanted)
		}
		return err
	})
}

// WantBets waits until so many bets of a user are learnt from.
func (s *Service) WantBets(user string, bets uint64) {
	s.Helper()
	s.Eventually(func() error {
		var a tipoff.Affinities
		err := s.Get("/v1/users/"+url.PathEscape(s.ID(user))+"/affinities", &a)
		if err == nil && a.Bets != bets {
			err = fmt.Errorf("%s has %d bets, want %d", user, a.Bets, bets)
		}
		return err
	})
}

// Eventually waits for a condition, which says what is wrong until then.
func Eventually(t *testing.T, patience time.Duration, holds func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("after %s: %v", patience, err)
		}
	}
}

var client = &http.Client{Timeout: 20 * time.Second}

// Get asks for a page.
func Get(url string) (status int, body string, err error) {
	a, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	return a.StatusCode, string(b), err
}

// GetJSON reads an answer of status 200 into value.
func GetJSON(url string, value any) error {
	status, body, err := Get(url)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", url, status, body)
	}
	return json.Unmarshal([]byte(body), value)
}
