package main

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"tipoff"
	"tipoff/blackbox"
	"tipoff/topics"
)

// TestServices_AProcessThatWakesUpTooLateHarmsNothing: a process of processors stops
// for longer than its session, with records in hand, while another takes over; then
// it goes on.
func TestServices_AProcessThatWakesUpTooLateHarmsNothing(t *testing.T) {
	s := realServices(t)
	api := launch(t, s.env(), "api").ready()
	c := &blackbox.Service{T: t, URL: api.url, Prefix: "late"}
	const events, users, rounds = 12, 40, 6
	var posted []tipoff.Event
	for i := range events {
		posted = append(posted, c.Event(fmt.Sprint("e", i), "A"))
	}
	c.Post("/v1/events", 202, posted)
	first, second := launch(t, s.env(), "processors").ready(), launch(t, s.env(), "processors").ready()
	bet := func(round int) {
		var coupons []tipoff.Coupon
		for u := range users {
			coupons = append(coupons, c.Coupon(fmt.Sprint("c", round, "-", u), fmt.Sprint("u", u), fmt.Sprint("e", (u+round)%events), fmt.Sprint("e", (u+round+1)%events)))
		}
		c.Post("/v1/coupons", 202, coupons)
	}
	done := 0
	for range rounds / 2 {
		bet(done)
		if err := first.cmd.Process.Signal(syscall.SIGSTOP); err != nil { // in the middle of it
			t.Fatal(err)
		}
		bet(done + 1)
		done += 2
		for u := range users { // the other has taken over
			c.WantBets(fmt.Sprint("u", u), uint64(2*done))
		}
		if err := first.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		first.ready()
		first, second = second, first
	}
	cluster := s.connect()
	blackbox.Eventually(t, 60*time.Second, func() error {
		now := blackbox.ReadTables(t, cluster, topics.TableSet{})
		legs := uint64(0)
		for key, f := range now.Fixtures {
			if !f.Known {
				return fmt.Errorf("fixture %s is not known", key)
			}
			legs += f.LegCount
		}
		if want := uint64(2 * users * rounds); legs != want {
			return fmt.Errorf("fixtures count %d legs, want %d", legs, want)
		}
		for key, b := range now.Bettors {
			if b.LegCount != 2*rounds {
				return fmt.Errorf("bettor %s has %d legs, want %d", key, b.LegCount, 2*rounds)
			}
		}
		if len(now.Bettors) != users || len(now.Fixtures) != events {
			return fmt.Errorf("%d bettors, %d fixtures", len(now.Bettors), len(now.Fixtures))
		}
		return nil
	})
}
