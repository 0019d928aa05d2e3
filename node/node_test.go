package node_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tipoff/blackbox"
	"tipoff/node"
	"tipoff/topics"
)

func TestNode_IsWhatItsClientsRelyOn(t *testing.T) {
	t.Parallel()
	blackbox.Run(t, blackbox.Start(t, blackbox.Settings(t.TempDir())).URL())
}

func TestNode_TheFirstHour(t *testing.T) {
	t.Parallel()
	n := blackbox.Start(t, blackbox.Settings(t.TempDir()))
	blackbox.FirstHours(t, n.URL(), n.Cluster())
}

func TestNode_TheNextStartHasEverythingAgain(t *testing.T) {
	t.Parallel()
	settings := blackbox.Settings(t.TempDir())
	n := blackbox.Start(t, settings)
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "r"}
	for i := range 5 {
		s.Post("/v1/events", 202, s.Event(fmt.Sprint("e", i), "A"))
	}
	for i := range 3 {
		s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("c", i), "u", fmt.Sprint("e", i), "unknown"))
	}
	s.WantBets("u", 3)
	var names []string
	s.Eventually(func() (err error) { // the events have a view of their own
		if names, _, err = s.Recommended("u", 10); err == nil && len(names) != 2 {
			err = fmt.Errorf("recommended %v, want the two that nobody bet on", names)
		}
		return err
	})
	n.End()
	s.URL = blackbox.Start(t, settings).URL()
	s.WantBets("u", 3)
	again, _, err := s.Recommended("u", 10)
	if err != nil || strings.Join(again, " ") != strings.Join(names, " ") {
		t.Errorf("recommended %v before the restart, %v after: %v", names, again, err)
	}
	s.Post("/v1/events", 202, s.Event("unknown", "A")) // legs that waited through the restart
	s.WantBets("u", 6)
}

// TestNode_LetsInWhomTheSettingsName: what a browser may do is for http to decide; here
// the settings must reach it.
func TestNode_LetsInWhomTheSettingsName(t *testing.T) {
	t.Parallel()
	settings := blackbox.Settings(t.TempDir())
	settings.AllowedOrigins, settings.AllowedHosts, settings.HideDocs = []string{"https://shop.example"}, []string{"tipoff.example"}, true
	s := &blackbox.Service{T: t, URL: blackbox.Start(t, settings).URL()}
	for _, c := range []struct {
		path, header, value string
		want                int
	}{
		{"/healthz", "Origin", "https://shop.example", 200}, {"/healthz", "Origin", "https://other.example", 403},
		{"/healthz", "Host", "tipoff.example", 200}, {"/healthz", "Host", "other.example", 403},
		{"/docs", "Accept", "*/*", 404},
	} {
		if status, body, _ := s.Send("GET", c.path, "", c.header, c.value); status != c.want {
			t.Errorf("%s with %s %s: %d %s, want %d", c.path, c.header, c.value, status, body, c.want)
		}
	}
}

func TestNode_ASecondOneIsToldWhoHasTheFolder(t *testing.T) {
	t.Parallel()
	settings := blackbox.Settings(t.TempDir())
	blackbox.Start(t, settings)
	if _, err := node.Start(t.Context(), settings, node.AllRoles...); err == nil || !strings.Contains(err.Error(), "belongs to a Tipoff that is running") {
		t.Errorf("%v", err)
	}
}

func TestNode_RefusesSettingsThatAreOutOfBounds(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*node.Settings){
		"power of two": func(s *node.Settings) { s.Partitions = 3 },
		"TIPOFF_ADDR":  func(s *node.Settings) { s.Addr = "256.0.0.1:x" },
		"DATABASE_URL": func(s *node.Settings) { s.DatabaseURL = "ftp://x" },
	} {
		settings := blackbox.Settings(t.TempDir())
		change(settings)
		if _, err := node.Start(t.Context(), settings, node.AllRoles...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q in it", err, want)
		}
	}
}

// outside starts a broker that is in no process, and returns settings that name it.
func outside(t *testing.T) (*kfake.Cluster, *node.Settings) {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	settings := blackbox.Settings(t.TempDir())
	settings.Brokers = kafka.ListenAddrs()[0]
	return kafka, settings
}

// TestNode_NamesEveryPartFromTheFirst: a process that says it is ready before its
// views are even named would be asked for answers that it does not have.
func TestNode_NamesEveryPartFromTheFirst(t *testing.T) {
	t.Parallel()
	_, settings := outside(t)
	n := blackbox.Begin(t, settings, node.API)
	parts := []string{"kafka", "view of " + topics.TableBettors, "view of " + topics.TableFixtures}
	for deadline := time.Now().Add(30 * time.Second); ; { // without a pause, as the moment is short
		status, body, err := blackbox.Get(n.URL() + "/readyz")
		if status == 200 {
			for _, part := range parts {
				if !strings.Contains(body, `"`+part+`"`) {
					t.Fatalf("ready without %s: %s", part, body)
				}
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %s, %v", body, err)
		}
	}
}

// TestNode_IsNotReadyWhileItIsTooFarBehind: the processors get no coupons while their
// topic cannot be read; the limit must reach the part that is behind.
func TestNode_IsNotReadyWhileItIsTooFarBehind(t *testing.T) {
	t.Parallel()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	settings := blackbox.Settings(t.TempDir())
	settings.Brokers, settings.MaxLag = kafka.ListenAddrs()[0], 2
	n := blackbox.Start(t, settings, node.API, node.Processors)
	unread := kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: topics.Coupons, Err: kerr.UnknownServerError, Count: -1})
	s := &blackbox.Service{T: t, URL: n.URL()}
	for i := range 5 {
		s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("c", i), "u", "e"))
	}
	wantReady := func(want int) {
		s.Eventually(func() error {
			if status, body, err := blackbox.Get(n.URL() + "/readyz"); err != nil || status != want || strings.Contains(body, "TIPOFF_MAX_LAG") != (want == 503) {
				return fmt.Errorf("%d %s, %w", status, body, err)
			}
			return nil
		})
	}
	wantReady(503)
	unread.Remove()
	wantReady(200)
}

func TestNode_EndsWhereAPartFailsForGood(t *testing.T) {
	t.Parallel()
	n := blackbox.Start(t, blackbox.Settings(t.TempDir()))
	broken := errors.New("broken")
	n.Go("a part", func(context.Context) error { return broken })
	if err := n.Wait(t.Context()); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
