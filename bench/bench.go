// Package bench measures Tipoff against peers and limits. Each row of its table has a
// file of its own, which compares Tipoff with a peer that does the least that the same
// job needs, in turns on the same machine in the same run, or with a limit. Only the
// ratios travel from one machine to another. results.json is of the last run that was
// kept.
package bench

import (
	"context"
	"fmt"
	"io"
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

// Options say what is measured; the tags are those of the command line.
type Options struct {
	Rounds int    `default:"5" placeholder:"N" help:"Rounds of each pair; the median counts (default ${default})."`
	Only   string `placeholder:"NAME" help:"Measure this one only."`
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

// Results is what the run leaves behind.
type Results struct {
	At      time.Time  `json:"at"`
	Machine string     `json:"machine"`
	Kafka   string     `json:"kafka"`
	Rows    []measured `json:"rows"`
	LeftOut []string   `json:"left_out"`
}

// bench is a run under way.
type bench struct {
	Options
	settings *node.Settings
	folder   string
	results  Results
}

// Run measures on Kafka and the database that the settings name, and creates topics
// and tables there; it shows on bar how far it has come.
func Run(ctx context.Context, s *node.Settings, o Options, bar io.Writer) (*Results, error) {
	folder, err := os.MkdirTemp("", "tipoff-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	b := &bench{Options: o, settings: s, folder: folder}
	b.results = Results{At: time.Now().UTC().Truncate(time.Second), Machine: fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())}
	b.results.Kafka = s.Brokers
	if s.Embedded() {
		b.results.Kafka = "embedded"
	}
	rows := []struct {
		name string
		run  func(context.Context) error
	}{
		{"lookups", b.lookups}, {"posts", b.posts}, {"batches", b.batches}, {"freshness", b.freshness}, {"processing", b.processing}, {"sink", b.sink},
	}
	p := progress.New(bar, "measuring", len(rows))
	for _, row := range rows {
		if o.Only == "" || o.Only == row.name {
			if err := row.run(ctx); err != nil {
				return nil, fmt.Errorf("measure %s: %w", row.name, err)
			}
		}
		p.Add(1)
	}
	p.End()
	return &b.results, nil
}

// pair measures both sides in turns. Each returns how much it did a second.
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

// Print writes the table for people.
func (r *Results) Print(out io.Writer) {
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

// Write keeps the results in a file.
func (r *Results) Write(path string) error {
	text, err := json.Marshal(r, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
