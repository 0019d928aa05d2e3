package main

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"tipoff"
)

// TestServices_AProcessThatWakesUpTooLateHarmsNothing: a process of processors stops
// for longer than its session, with records in hand, while another takes over; then
// it goes on.
func TestServices_AProcessThatWakesUpTooLateHarmsNothing(t *testing.T) {
	s := realServices(t)
	api := launch(t, s.env(), "api").ready()
	c := &service{T: t, url: api.url, run: "late"}
	const events, users, rounds = 12, 40, 6
	var posted []tipoff.Event
	for i := range events {
		posted = append(posted, c.event(fmt.Sprint("e", i), "A"))
	}
	c.post("/v1/events", 202, posted)
	first, second := launch(t, s.env(), "processors").ready(), launch(t, s.env(), "processors").ready()
	bet := func(round int) {
		var coupons []tipoff.Coupon
		for u := range users {
			coupons = append(coupons, c.coupon(fmt.Sprint("c", round, "-", u), fmt.Sprint("u", u), fmt.Sprint("e", (u+round)%events), fmt.Sprint("e", (u+round+1)%events)))
		}
		c.post("/v1/coupons", 202, coupons)
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
			c.wantBets(fmt.Sprint("u", u), uint64(2*done))
		}
		if err := first.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		first.ready()
		first, second = second, first
	}
	cluster := s.connect()
	eventually(t, 60*time.Second, func() error {
		bettors, fixtures := s.tables(cluster)
		legs := uint64(0)
		for key, f := range fixtures {
			if !f.Known {
				return fmt.Errorf("fixture %s is not known", key)
			}
			legs += f.LegCount
		}
		if want := uint64(2 * users * rounds); legs != want {
			return fmt.Errorf("fixtures count %d legs, want %d", legs, want)
		}
		for key, b := range bettors {
			if b.LegCount != 2*rounds {
				return fmt.Errorf("bettor %s has %d legs, want %d", key, b.LegCount, 2*rounds)
			}
		}
		if len(bettors) != users || len(fixtures) != events {
			return fmt.Errorf("%d bettors, %d fixtures", len(bettors), len(fixtures))
		}
		return nil
	})
}
