package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff/evaluate"
	"tipoff/recording"
)

// smallLog writes a log of 200 coupons on ten events.
func smallLog(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	began := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for i := range 10 {
		fmt.Fprintf(&b, `{"kind":"event","at":"%s","body":{"event_id":"e%d","sport":"Tennis","league":"L%d","country":"USA","participants":[],`+
			`"begin_timestamp":"2026-06-01","end_timestamp":"2026-06-01"}}`+"\n", began.Format(time.RFC3339), i, i%2)
	}
	for i := range 200 {
		at := began.Add(time.Duration(i) * time.Minute).Format(time.RFC3339)
		fmt.Fprintf(&b, `{"kind":"coupon","at":"%s","body":{"coupon_id":"c%d","user_id":"u%d","stake":1,"timestamp":"%s","selections":[{"event_id":"e%d","odds":2}]}}`+"\n",
			at, i, i%50, at, i%7)
	}
	path := filepath.Join(t.TempDir(), "small.ndjson")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEvaluate_WritesATableAndFiles(t *testing.T) {
	t.Parallel()
	log, dir := smallLog(t), t.TempDir()
	page := filepath.Join(dir, "quality.md")
	if err := os.WriteFile(page, []byte("# Q\n<!-- measured: begin -->\n<!-- measured: end -->\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	err := run(t.Context(), []string{"evaluate", "--rankers", "popular-6h,served-popular,tipoff", "--json", filepath.Join(dir, "q.json"), "--plot", dir, "--report", page, log}, &out, &errs)
	if err != nil {
		t.Fatal(err, errs.String())
	}
	if !strings.Contains(out.String(), "small: 200 coupons, 160 scored") || !strings.Contains(out.String(), "popular-6h") {
		t.Errorf("the table is\n%s", out.String())
	}
	written, err := os.ReadFile(filepath.Join(dir, "q.json"))
	if err != nil {
		t.Fatal(err)
	}
	var results []map[string]any
	if err := json.Unmarshal(written, &results); err != nil || len(results) != 3 {
		t.Fatalf("%d results: %v", len(results), err)
	}
	for _, field := range []string{"log", "ranker", "coupons", "scored", "hr10", "recall10", "ndcg10", "mrr10", "coverage", "novelty",
		"us_per_query_p50", "us_per_query_p99", "slices"} {
		if _, ok := results[0][field]; !ok {
			t.Errorf("a result has no %s: %v", field, results[0])
		}
	}
	first, _ := results[0]["beginnings"].([]any)
	if len(first) != 1 {
		t.Fatalf("beginnings of 200 coupons are %v, want those of 100 alone", results[0]["beginnings"])
	}
	if b, _ := first[0].(map[string]any); b["coupons"] != 100. || b["scored"] != 100. || b["ndcg10"] == nil {
		t.Errorf("the beginning is %v", b)
	}
	if text, _ := os.ReadFile(page); !strings.Contains(string(text), "### small") || !strings.Contains(string(text), "| first 100 (100 scored) |") {
		t.Errorf("the page is %s", text)
	}
	if !strings.Contains(out.String(), "NDCG@10 of first       100\n") || !strings.Contains(out.String(), "to served-popular.") {
		t.Errorf("the table is\n%s", out.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "small-time.svg")); err != nil {
		t.Error(err)
	}
}

// TestEvaluate_TheLearntRankerKeepsItsFloor replays the recorded logs of the folder
// that TIPOFF_TEST_LOGS names.
func TestEvaluate_TheLearntRankerKeepsItsFloor(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("TIPOFF_TEST_LOGS")
	if dir == "" {
		t.Skip("TIPOFF_TEST_LOGS names no folder of recorded logs")
	}
	for name, least := range map[string]float64{"bettors-dev": .27, "shop-clicks": .215, "news-a": .38, "movies": .057} {
		log, err := recording.Load(t.Context(), filepath.Join(dir, name+".ndjson.gz"))
		if err != nil {
			t.Fatal(err)
		}
		rankers, err := evaluate.Rankers([]string{"tipoff", "tipoff-whole", "tipoff-slate"})
		if err != nil {
			t.Fatal(err)
		}
		results, err := evaluate.Judge(t.Context(), log, rankers, evaluate.Options{Every: 10, Clock: evaluate.Clock()})
		if err != nil {
			t.Fatal(err)
		}
		bare, whole, slate := results[0].NDCG, results[1].NDCG, results[2].NDCG
		if bare < least || bare < 0.99*whole || slate < 0.97*bare {
			t.Errorf("%s: NDCG@10 is %.4f, of all open events %.4f, of the slate %.4f; the floor is %.3f", name, bare, whole, slate, least)
		}
		if s := results[0].Sizes; s.BettorMost > 1024 || s.FixtureMost > 2048 {
			t.Errorf("%s: states take %+v bytes", name, s)
		}
	}
}
