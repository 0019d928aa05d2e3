package evaluate_test

import (
	"testing"
	"time"

	"tipoff"
	"tipoff/generator"
	"tipoff/recording"
)

// simulated is a log of six days of a sportsbook whose bettors have stable tastes: of
// sport, league and team. Everything is announced at the beginning.
func simulated() *recording.Log {
	const seed, bettors, fixtures, days, rounds, coupons = 1, 200, 1000, 8, 3, 2000
	book := generator.NewSportsbook(seed, bettors, fixtures, days, noon)
	log := &recording.Log{Name: "simulated"}
	for _, u := range book.Users() {
		log.Add(tipoff.Fact{At: noon, User: &u})
	}
	for _, e := range book.Events() {
		log.Add(tipoff.Fact{At: noon, Event: &e})
	}
	for round := range rounds { // each has the coupons of two days
		for _, c := range book.Coupons(coupons, noon.Add(time.Duration(round+1)*48*time.Hour)) {
			log.Add(tipoff.Fact{At: c.Timestamp, Coupon: &c})
		}
	}
	return log
}

// TestRankers_KeepTheirFloorsOnASimulatedLog wants the learnt ranker, and what it is
// compared with, to be as good as when this was written, less some room. NDCG@10 of
// tipoff was 0.189, and with four other seeds 0.174 to 0.193. The best plain ranker
// that serves had 0.162: tipoff has 1.17 times as much, with other seeds 1.16 to 1.21.
// The formula that the learner begins with had 0.128 (1.48; 1.49 to 1.55), popularity
// 0.012 (16; 13 to 26).
//
// It fails where what carries this log is broken. Without the terms of teams tipoff has
// 0.146; without learning, or with steps uphill, 0.162, that of the plain ranker which
// leads then; where only the linear stage does not learn, 0.172. With the signs of the
// lifts turned it learns to turn them back, 0.182, but the plain rankers have 0.013 and
// 0.031.
func TestRankers_KeepTheirFloorsOnASimulatedLog(t *testing.T) {
	r := judge(t, simulated(), "tipoff", "served-affinity", "served-blend", "served-popular", "popular-6h")
	for name, floor := range map[string]float64{"tipoff": .17, "served-affinity": .145, "served-blend": .115} {
		if got := r[name].NDCG; got < floor {
			t.Errorf("NDCG@10 of %s is %.4f, the floor is %.3f", name, got, floor)
		}
	}
	got := r["tipoff"].NDCG
	for name, times := range map[string]float64{"served-affinity": 1.1, "served-blend": 1.35, "served-popular": 5, "popular-6h": 5} {
		if other := r[name].NDCG; got < times*other {
			t.Errorf("NDCG@10 of tipoff is %.4f, of %s %.4f: %.2f times as much, want %.2f", got, name, other, got/other, times)
		}
	}
}
