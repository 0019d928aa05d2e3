package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tipoff"
	"tipoff/blackbox"
	"tipoff/generator"
	"tipoff/recording"
)

func TestEmbedded_TheNextStartAfterItsDeathHasEverythingAgain(t *testing.T) {
	t.Parallel()
	env := []string{"TIPOFF_DATA=" + t.TempDir()}
	for _, end := range []func(*process){(*process).stop, (*process).kill} {
		p := launch(t, env).ready()
		s := &blackbox.Service{T: t, URL: p.url, Prefix: fmt.Sprint(time.Now().UnixNano())}
		for i := range 5 {
			s.Post("/v1/events", 202, s.Event(fmt.Sprint("e", i), "A"))
		}
		for i := range 3 {
			s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("c", i), "u", fmt.Sprint("e", i), "unknown"))
		}
		s.WantBets("u", 3)
		names, _, err := s.Recommended("u", 10)
		if err != nil {
			t.Fatal(err)
		}
		end(p)
		p = launch(t, env).ready()
		s.URL = p.url
		s.WantBets("u", 3)
		again, _, err := s.Recommended("u", 10)
		if err != nil || strings.Join(again, " ") != strings.Join(names, " ") {
			t.Errorf("recommended %v before the restart, %v after: %v", names, again, err)
		}
		s.Post("/v1/events", 202, s.Event("unknown", "A")) // legs that waited through the restart
		s.WantBets("u", 6)
		p.stop()
	}
}

func TestDemo_SimulatesASportsbookAndKeepsBetting(t *testing.T) {
	t.Parallel()
	env := []string{"TIPOFF_DATA=" + t.TempDir()}
	p := launch(t, env, "run", "--demo").ready()
	blackbox.Eventually(t, 100*time.Second, func() error {
		if !strings.Contains(p.printed(), "bets keep coming") || strings.Count(p.printed(), "curl ") != 3 || !strings.Contains(p.printed(), "/docs") {
			return fmt.Errorf("printed %q", p.printed())
		}
		return nil
	})
	for _, line := range strings.Split(p.printed(), "\n") { // what it says to try must work
		if _, command, ok := strings.Cut(line, "curl '"); ok {
			if status, body, err := blackbox.Get(strings.Trim(command, "'")); err != nil || status != http.StatusOK {
				t.Errorf("%s: %d %s, %v", line, status, body, err)
			}
		}
	}
	// Bettors are shown what they bet on: most first recommendations are of the
	// league that the bettor likes most.
	blackbox.Eventually(t, 60*time.Second, func() error {
		liked, asked := 0, 0
		for i := range 100 {
			var a tipoff.Affinities
			var r tipoff.Recommendation
			user := fmt.Sprintf("bettor-%d", i+1)
			if err := blackbox.GetJSON(p.url+"/v1/users/"+user+"/affinities", &a); err != nil || a.Bets < 5 {
				continue
			}
			if err := blackbox.GetJSON(p.url+"/v1/recommendations?n=1&user_id="+user, &r); err != nil {
				return err
			}
			asked++
			if r.Items[0].Event.League == a.Leagues[0].Name {
				liked++
			}
		}
		if asked < 50 || liked < asked*3/4 {
			return fmt.Errorf("of %d bettors %d are shown their league first", asked, liked)
		}
		return nil
	})
	bets := func() (n int) {
		var popular struct {
			Items []tipoff.PopularEvent `json:"items"`
		}
		if err := blackbox.GetJSON(p.url+"/v1/popular?n=100", &popular); err != nil {
			t.Fatal(err)
		}
		for _, item := range popular.Items {
			n += int(item.Bets)
		}
		return n
	}
	before := bets()
	blackbox.Eventually(t, 20*time.Second, func() error {
		if bets() <= before {
			return errors.New("no live bets come")
		}
		return nil
	})
	p.stop()
	p = launch(t, env, "run", "--demo").ready()
	blackbox.Eventually(t, 20*time.Second, func() error {
		if !strings.Contains(p.printed(), "holds data already") {
			return fmt.Errorf("printed %q", p.printed())
		}
		return nil
	})
	p.stop()
}

func TestGenerateAndReplay_CountWhatTheyPost(t *testing.T) {
	t.Parallel()
	p := launch(t, []string{"TIPOFF_DATA=" + t.TempDir(), "TIPOFF_API_KEY=secret"}).ready()
	tool := func(args ...string) string {
		t.Helper()
		return p.tool(append(args, "--url", p.url)...)
	}
	if out := tool("generate", "120"); !strings.Contains(out, "rejected 0, failed 0") || !strings.Contains(out, "120 of 120") {
		t.Errorf("generate: %s", out)
	}
	if out := tool("generate", "--realistic", "--users", "50", "--events", "40", "--coupons", "300", "--seed", "5", "--rate", "2000"); !strings.Contains(out, "accepted 390, rejected 0, failed 0") {
		t.Errorf("generate --realistic: %s", out)
	}
	log := t.TempDir() + "/log.ndjson"
	writeLog(t, log)
	if out := tool("replay", log); !strings.Contains(out, "accepted 5, rejected 0, failed 0") {
		t.Errorf("replay: %s", out)
	}
	q, _ := http.NewRequestWithContext(t.Context(), "GET", p.url+"/v1/events/e1", nil)
	q.Header.Set("X-API-Key", "secret")
	blackbox.Eventually(t, 10*time.Second, func() error { // its times were moved: the event is open now
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			return err
		}
		defer a.Body.Close()
		if a.StatusCode != 200 {
			return fmt.Errorf("status %d", a.StatusCode)
		}
		return nil
	})
	if out := tool("health"); !strings.Contains(out, `"detail":"takes records"`) { // it sends the key
		t.Errorf("health: %s", out)
	}
	cmd := exec.Command(binary, "generate", "10", "--url", p.url)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "a key is needed") {
		t.Errorf("without the key: %v, %s", err, out)
	}
	p.stop()
}

func TestEmptySettingsCountAsNotSet(t *testing.T) {
	t.Parallel()
	p := launch(t, []string{"TIPOFF_DATA=" + t.TempDir(), "KAFKA_BOOTSTRAP_SERVERS=", "DATABASE_URL=", "TIPOFF_PARTITIONS=", "TIPOFF_API_KEY="}).ready()
	p.stop()
}

func writeLog(t *testing.T, path string) {
	t.Helper()
	at := time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)
	event := func(id string, begin, end time.Time) *tipoff.Event {
		return &tipoff.Event{ID: id, Begin: begin, End: end, Country: "c", League: "l", Sport: "s", Participants: []string{}, Status: tipoff.StatusOpen}
	}
	coupon := func(id, event string, at time.Time) *tipoff.Coupon {
		return &tipoff.Coupon{ID: id, UserID: "u1", Stake: 1, Timestamp: at, Selections: []tipoff.Selection{{EventID: event, Odds: 2}}}
	}
	var b bytes.Buffer
	err := recording.Write(&b,
		tipoff.Fact{At: at, User: &tipoff.User{ID: "u1", BirthYear: 1990, Country: "USA", Currency: "USD", Gender: "x", RegistrationDate: at}},
		tipoff.Fact{At: at, Event: event("e1", at.Add(48*time.Hour), at.Add(50*time.Hour))},
		tipoff.Fact{At: at, Event: event("e2", at, at)},
		tipoff.Fact{At: at, Coupon: coupon("c1", "e1", at)},
		tipoff.Fact{At: at.Add(time.Hour), Coupon: coupon("c2", "e2", at.Add(time.Hour))},
	)
	if err := errors.Join(err, os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := generator.Replay(context.Background(), &generator.Client{URL: "http://127.0.0.1:1"}, path+"none", 0, 0, nil); err == nil {
		t.Fatal("a log that is not there was replayed")
	}
}
