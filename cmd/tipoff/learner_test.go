package main

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tipoff/blackbox"
	"tipoff/evaluate"
	"tipoff/recording"
)

// dayAndNight writes a log of two days: 60 users, each with a taste for two of eight
// leagues, who bet once a minute on fixtures announced a few hours ahead, now and
// then on one that all talk of.
func dayAndNight(t *testing.T, coupons int) string {
	t.Helper()
	var b strings.Builder
	r := rand.New(rand.NewPCG(5, 5))
	began := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	put := func(kind string, at time.Time, form string, args ...any) {
		fmt.Fprintf(&b, `{"kind":%q,"at":%q,"body":{%s}}`+"\n", kind, at.Format(time.RFC3339), fmt.Sprintf(form, args...))
	}
	for u := range 60 {
		put("user", began, `"user_id":"u%d","birth_year":1990,"country":"C%d","currency":"EUR","gender":"male","registration_date":"2026-01-01"`, u, u%3)
	}
	var open [][2]int // event, league
	events := 0
	for i := range coupons {
		at := began.Add(time.Duration(i) * time.Minute)
		if i%60 == 0 {
			for league := range 8 {
				for range 2 {
					begin := at.Add(4 * time.Hour).Format(time.RFC3339)
					put("event", at, `"event_id":"e%d","sport":"S%d","league":"L%d","country":"USA","participants":["T%d","T%d"],"begin_timestamp":%q,"end_timestamp":%q`,
						events, league%2, league, r.IntN(6), 6+r.IntN(6), begin, begin)
					open = append(open, [2]int{events, league})
					events++
				}
			}
			open = open[max(0, len(open)-7*16):]
		}
		u := r.IntN(60)
		choice := open[len(open)-1-r.IntN(16)][0]
		for range 8 {
			if c := open[r.IntN(len(open))]; r.IntN(3) > 0 && (c[1] == u%8 || c[1] == u%5) {
				choice = c[0]
			}
		}
		if r.IntN(4) == 0 {
			choice = i / 60 * 16
		}
		stamp := at.Format(time.RFC3339)
		put("coupon", at, `"coupon_id":"c%d","user_id":"u%d","stake":1,"timestamp":%q,"selections":[{"event_id":"e%d","odds":2}]`, i, u, stamp, choice)
	}
	path := filepath.Join(t.TempDir(), "days.ndjson")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestServices_LiveFiguresAgreeWithEvaluate replays a log through real Kafka, every
// role a process, and wants the gateway's live figures of the last day to be those
// that evaluate computes from the file. TIPOFF_TEST_LOGS names a folder with a longer
// log, bettors-dev.
func TestServices_LiveFiguresAgreeWithEvaluate(t *testing.T) {
	s := realServices(t)
	// A coupon stands for a minute of its log. The learner sees a hot fixture a quarter of a
	// second late: at this rate, eight minutes at most.
	path, rate := dayAndNight(t, 2*24*60), "30"
	if dir := os.Getenv("TIPOFF_TEST_LOGS"); dir != "" {
		path, rate = filepath.Join(dir, "bettors-dev.ndjson.gz"), "0"
	}
	log, err := recording.Load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	rankers, err := evaluate.Rankers([]string{"tipoff"})
	if err != nil {
		t.Fatal(err)
	}
	results, err := evaluate.Judge(t.Context(), log, rankers, evaluate.Options{Clock: evaluate.Clock()})
	if err != nil {
		t.Fatal(err)
	}
	want := results[0].LastDay

	api := launch(t, s.env(), "api")
	for _, role := range []string{"processors", "learner"} {
		launch(t, s.env(), role).ready()
	}
	api.ready()
	api.tool("replay", "--url", api.url, "--as-is", "--post", "1", "--rate", rate, path)
	figure := func(name string) float64 { return api.metric(name + `{company="default",window="24h"}`) }
	near := func(got, want float64) bool { return math.Abs(got/want-1) <= 0.03 }
	blackbox.Eventually(t, 60*time.Second, func() error {
		hr, ndcg, n := figure("tipoff_live_hit_ratio"), figure("tipoff_live_ndcg"), figure("tipoff_live_coupons")
		said := fmt.Sprintf("live: HR@10 %.4f, NDCG@10 %.4f of %v coupons; evaluate: %.4f, %.4f of %d", hr, ndcg, n, want.HR, want.NDCG, want.Scored)
		if !near(hr, want.HR) || !near(ndcg, want.NDCG) || !near(n, float64(want.Scored)) {
			return errors.New(said)
		}
		t.Log(said)
		return nil
	})
}
