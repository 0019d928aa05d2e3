package generator

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"tipoff"
	"tipoff/recording"
	"tipoff/topics"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

func TestSportsbook_IsTheSameForTheSameSeed(t *testing.T) {
	one, other, third := NewSportsbook(7, 50, 40, 5, noon), NewSportsbook(7, 50, 40, 5, noon), NewSportsbook(8, 50, 40, 5, noon)
	if !reflect.DeepEqual(one.Users(), other.Users()) || !reflect.DeepEqual(one.Events(), other.Events()) ||
		!reflect.DeepEqual(one.Coupons(300, noon), other.Coupons(300, noon)) {
		t.Error("the same seed made other data")
	}
	if reflect.DeepEqual(one.Events(), third.Events()) {
		t.Error("another seed made the same data")
	}
}

func TestSportsbook_KeepsEveryBoundOfTheContract(t *testing.T) {
	s := NewSportsbook(3, 300, 200, 5, noon)
	strict := tipoff.Reading{Now: noon, Strict: true}
	events := map[string]tipoff.Event{}
	for _, u := range s.Users() {
		if _, err := tipoff.DecodeUser(topics.UserRecord("c", u, noon).Value, strict); err != nil {
			t.Error(err)
		}
	}
	for _, e := range s.Events() {
		if _, err := tipoff.DecodeEvent(topics.EventRecord("c", e, noon).Value, strict); err != nil {
			t.Error(err)
		}
		if !e.Begin.After(noon) || e.Begin.After(noon.AddDate(0, 0, 7)) {
			t.Errorf("%s begins at %s", e.ID, e.Begin)
		}
		events[e.ID] = e
	}
	for _, c := range s.Coupons(3000, noon) {
		if _, err := tipoff.DecodeCoupon(topics.CouponRecord("c", c, noon).Value, strict); err != nil {
			t.Error(err)
		}
		for _, leg := range c.Selections {
			if _, ok := events[leg.EventID]; !ok || leg.Outcome == "" {
				t.Errorf("a leg on %+v", leg)
			}
		}
	}
}

// TestSportsbook_BettorsHaveStableTastes: most of a busy bettor's legs
// are of one sport.
func TestSportsbook_BettorsHaveStableTastes(t *testing.T) {
	s := NewSportsbook(5, 100, 400, 5, noon)
	sports := map[string]string{}
	for _, e := range s.Events() {
		sports[e.ID] = e.Sport
	}
	counts := map[string]map[string]int{}
	for _, c := range s.Coupons(5000, noon) {
		for _, leg := range c.Selections {
			if counts[c.UserID] == nil {
				counts[c.UserID] = map[string]int{}
			}
			counts[c.UserID][sports[leg.EventID]]++
		}
	}
	stable, busy := 0, 0
	for _, bySport := range counts {
		all, most := 0, 0
		for _, n := range bySport {
			all += n
			most = max(most, n)
		}
		if all >= 20 {
			busy++
			if most*10 >= all*6 {
				stable++
			}
		}
	}
	if busy < 50 || stable*10 < busy*8 {
		t.Errorf("of %d busy bettors %d have a sport", busy, stable)
	}
}

// door plays the API: it answers as the test says.
func door(t *testing.T, answer func(path string) (int, string)) *Client {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		status, body := answer(r.URL.Path)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return &Client{URL: server.URL + "/"}
}

func TestClassic_PostsRoundsInOrder(t *testing.T) {
	var paths []string
	c := door(t, func(path string) (int, string) {
		paths = append(paths, path)
		return 202, `{"accepted":7,"rejected":[]}`
	})
	rounds := 0
	if err := Classic(t.Context(), c, 60, rand.New(rand.NewPCG(1, 1)), noon, func() { rounds++ }); err != nil {
		t.Fatal(err)
	}
	want := "/v1/users /v1/events /v1/coupons /v1/users /v1/events /v1/coupons"
	if rounds != 60 || strings.Join(paths, " ") != want || c.Accepted.Load() != 42 {
		t.Errorf("%d rounds, %v, accepted %d", rounds, paths, c.Accepted.Load())
	}
	if err := Classic(t.Context(), c, 0, nil, noon, nil); err == nil {
		t.Error("no rounds are no error")
	}
}

func TestReplay_PostsEachBatchInTheOrderThatFactsNeed(t *testing.T) {
	event := func(id string) *tipoff.Event {
		return &tipoff.Event{ID: id, Begin: noon, End: noon, Country: "c", League: "l", Sport: "s", Participants: []string{}, Status: tipoff.StatusOpen}
	}
	coupon := &tipoff.Coupon{ID: "c1", UserID: "u1", Stake: 1, Timestamp: noon, Selections: []tipoff.Selection{{EventID: "e1", Odds: 2}}}
	user := &tipoff.User{ID: "u1", BirthYear: 1990, Country: "c", Currency: "EUR", Gender: "x", RegistrationDate: noon}
	path := filepath.Join(t.TempDir(), "log.ndjson")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = recording.Write(file, tipoff.Fact{At: noon, Coupon: coupon}, tipoff.Fact{At: noon, Event: event("e1")}, tipoff.Fact{At: noon, User: user}, tipoff.Fact{At: noon, Event: event("e2")})
	if err != nil {
		t.Fatal(err)
	}
	var posts []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posts = append(posts, r.URL.Path)
		if !strings.Contains(r.URL.Path, "users") && !strings.Contains(string(body), "2026-05-18T12:00:00Z") {
			t.Errorf("the times are not a day later: %s", body)
		}
		w.WriteHeader(202)
		_, _ = io.WriteString(w, `{"accepted":1}`)
	}))
	defer server.Close()
	var done []int
	err = Replay(t.Context(), &Client{URL: server.URL}, path, 24*time.Hour, 3, func(n int) { done = append(done, n) })
	if got := strings.Join(posts, " "); err != nil || got != "/v1/users /v1/events /v1/coupons /v1/events" || !slices.Equal(done, []int{3, 1}) {
		t.Errorf("posted %s, %v items: %v", got, done, err)
	}
}

func TestClient_TriesAgainWhatMayPass(t *testing.T) {
	var asked atomic.Int32
	c := door(t, func(string) (int, string) {
		switch asked.Add(1) {
		case 1:
			return 503, `{}`
		case 2:
			return 429, `{}`
		}
		return 207, `{"accepted":1,"rejected":[{}]}`
	})
	c.Limit = rate.NewLimiter(10_000, 500)
	if err := c.Users(t.Context(), make([]tipoff.User, 2)); err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 3 || c.Accepted.Load() != 1 || c.Rejected.Load() != 1 || c.Failed.Load() != 0 {
		t.Errorf("asked %d times: accepted %d, rejected %d, failed %d", asked.Load(), c.Accepted.Load(), c.Rejected.Load(), c.Failed.Load())
	}
}

func TestClient_GivesUpWhatCannotPass(t *testing.T) {
	c := door(t, func(string) (int, string) { return 401, `{"error":"a key is needed"}` })
	if err := c.Users(t.Context(), make([]tipoff.User, 2)); err == nil || !strings.Contains(err.Error(), "a key is needed") {
		t.Errorf("%v", err)
	}
	c = door(t, func(string) (int, string) { return 202, `<html>` })
	if err := c.Events(t.Context(), make([]tipoff.Event, 2)); err == nil || !strings.Contains(err.Error(), "not Tipoff's") {
		t.Errorf("%v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := (&Client{URL: "http://" + l.Addr().String()}).Coupons(ctx, make([]tipoff.Coupon, 2)); err == nil {
		t.Error("nobody listened, and that was no error")
	}
}
