package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tipoff/node"
	"tipoff/progress"
)

// benchMode measures ratios in one run.
type benchMode struct {
	Out    string `default:"bench/results.json" placeholder:"FILE" help:"Where to write the results (default ${default})."`
	Rounds int    `default:"5" placeholder:"N" help:"Rounds of each pair; the median counts (default ${default})."`
	Only   string `placeholder:"NAME" help:"Measure this one only."`
}

func (benchMode) Help() string {
	return `Each row compares Tipoff with a peer that does the least that the same job needs, in
turns on the same machine in the same run, or with a limit. Only the ratios travel
from one machine to another. Kafka is KAFKA_BOOTSTRAP_SERVERS, else a broker in this
process; rows that need MySQL are left out unless DATABASE_URL names one. Both are
used as they would be by a service: topics and tables are created and filled. Use
empty ones.`
}

// measured is one row of the table.
type measured struct {
	Name   string  `json:"name"`
	What   string  `json:"what"`
	Tipoff float64 `json:"tipoff"` // median of the rounds
	Peer   float64 `json:"peer"`   // the same of the peer; or the limit
	Unit   string  `json:"unit"`
	Ratio  float64 `json:"ratio"` // median of the rounds' ratios; above 1 Tipoff is better
	Least  float64 `json:"ratio_least"`
	Most   float64 `json:"ratio_most"`
	Note   string  `json:"note,omitempty"`
}

// results is what the run leaves behind.
type results struct {
	At      time.Time  `json:"at"`
	Machine string     `json:"machine"`
	Kafka   string     `json:"kafka"`
	Rows    []measured `json:"rows"`
	LeftOut []string   `json:"left_out"`
}

// bench is a run under way.
type bench struct {
	*benchMode
	settings *node.Settings
	log      *slog.Logger
	folder   string
	results  results
}

func (m *benchMode) Run(ctx context.Context, s *node.Settings, t *terminal) error {
	folder, err := os.MkdirTemp("", "tipoff-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	b := &bench{benchMode: m, settings: s, log: slog.New(slog.NewTextHandler(io.Discard, nil)), folder: folder}
	b.results = results{At: time.Now().UTC().Truncate(time.Second), Machine: fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())}
	b.results.Kafka = s.Brokers
	if s.Embedded() {
		b.results.Kafka = "embedded"
	}
	steps := []struct {
		name string
		run  func(context.Context) error
	}{
		{"lookups", b.lookups}, {"posts", b.posts}, {"batches", b.batches}, {"freshness", b.freshness}, {"processing", b.processing}, {"sink", b.sink},
	}
	bar := progress.New(t.errors, "measuring", len(steps))
	for _, step := range steps {
		if m.Only == "" || m.Only == step.name {
			if err := step.run(ctx); err != nil {
				return fmt.Errorf("measure %s: %w", step.name, err)
			}
		}
		bar.Add(1)
	}
	bar.End()
	b.results.print(t.out)
	return b.results.write(m.Out)
}

// pair measures both sides in turns. Each answers how much it did a second.
func (b *bench) pair(row measured, tipoff, peer func() (float64, error)) error {
	var ours, theirs, ratios []float64
	for round := range b.Rounds + 1 {
		mine, err := tipoff()
		if err != nil {
			return err
		}
		yours, err := peer()
		if err != nil {
			return fmt.Errorf("the peer: %w", err)
		}
		if round == 0 { // warms both up
			continue
		}
		ours, theirs, ratios = append(ours, mine), append(theirs, yours), append(ratios, mine/yours)
	}
	row.Tipoff, row.Peer, row.Ratio = median(ours), median(theirs), median(ratios)
	row.Least, row.Most = slices.Min(ratios), slices.Max(ratios)
	b.results.Rows = append(b.results.Rows, row)
	return nil
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile is the value below which the share q of the values lies.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(math.Floor(q*float64(len(sorted)))))]
}

func (r *results) print(out io.Writer) {
	table := tabwriter.NewWriter(out, 2, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\nwhat\ttipoff\tpeer or limit\tunit\tratio\tleast..most\n")
	for _, row := range r.Rows {
		fmt.Fprintf(table, "%s\t%.4g\t%.4g\t%s\t%.2f\t%.2f..%.2f\n", row.What, row.Tipoff, row.Peer, row.Unit, row.Ratio, row.Least, row.Most)
	}
	_ = table.Flush()
	fmt.Fprintf(out, "\non %s; Kafka: %s; ratios above 1: Tipoff is better\n", r.Machine, r.Kafka)
	for _, line := range r.LeftOut {
		fmt.Fprintln(out, "left out:", line)
	}
}

func (r *results) write(path string) error {
	text, err := json.Marshal(r, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
