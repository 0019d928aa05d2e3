// Package bench measures Tipoff against peers and limits. Each row compares it with
// something that does the least that the same job needs, in turns on the same machine in
// the same run, or with a limit. Only the ratios travel from one machine to another.
// docs/performance.md says how each limit is taken.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"tipoff/node"
)

// Options say what is measured; the tags are those of the command line.
type Options struct {
	Names   []string `arg:"" optional:"" name:"row" help:"Rows to measure, all unless named: ${rows}."`
	Only    string   `placeholder:"NAME" help:"Measure this row only: the same as naming it."`
	Rounds  int      `default:"5" placeholder:"N" help:"Rounds of each comparison; the median counts (default ${default})."`
	Small   bool     `help:"Smaller states and shorter rounds, for a quick look: whether a row is met then says little."`
	Profile string   `placeholder:"DIR" help:"Leave a CPU, a heap and a mutex profile of each row here."`
	Plot    string   `placeholder:"DIR" help:"Draw latency against offered load, freshness and growth here, as SVG."`
}

// bench is a run under way.
type bench struct {
	Options
	settings *node.Settings
	folder   string // of everything that the run writes, removed at its end
	bar      io.Writer
	results  Results

	homes   map[size]*home // those that rows share
	running *node.Node     // what rows share, on runs; nil: it is not started
	runs    *home
}

// row is what one name of the command line measures.
type row struct {
	name string
	what string
	run  func(*bench, context.Context) error
}

// rows lists all rows in the order in which they are measured.
func rows() []row {
	return []row{
		{"lookup", "recommendations, no answer kept", (*bench).lookup},
		{"kept", "recommendations, answers kept", (*bench).kept},
		{"busy", "recommendations while bets are learnt", (*bench).busy},
		{"traced", "recommendations of which 1% are traced", (*bench).traced},
		{"console", "recommendations while a page of the console is open", (*bench).console},
		{"old", "the old GET /recommend", (*bench).old},
		{"whole", "coupons through the whole pipeline", (*bench).whole},
		{"crowded", "posts of 500 while the pipeline works", (*bench).crowded},
		{"freshness", "from a post to a changed recommendation", (*bench).freshness},
		{"post", "single posts, acknowledged", (*bench).post},
		{"batch", "posts of 500", (*bench).batch},
		{"bytes", "written to the broker a coupon", (*bench).bytes},
		{"allocations", "of a lookup and a post", (*bench).allocations},
		{"memory", "of a whole process", (*bench).memoryRow},
		{"start", "of a whole process, also after kill -9", (*bench).startRow},
		{"hot", "processing of one hot event, and of one bettor", (*bench).hot},
		{"growth", "lookups as a company grows", (*bench).growth},
		{"api", "start, memory and collector of an api with a million bettors", (*bench).api},
		{"scale", "two processors, and two gateways, beside one", (*bench).scale},
		{"sink", "rows mirrored into the database", (*bench).sink},
	}
}

// RowNames are the names that [Options] may choose.
func RowNames() (names []string) {
	for _, r := range rows() {
		names = append(names, r.name)
	}
	return names
}

// chosen are the rows that the options name, in the order in which they are measured.
// The error lists the names that there are.
func (o *Options) chosen() ([]row, error) {
	names := slices.Clone(o.Names)
	if o.Only != "" {
		names = append(names, o.Only)
	}
	for _, name := range names {
		if !slices.Contains(RowNames(), name) {
			return nil, fmt.Errorf("there is no row %q: choose of %s", name, strings.Join(RowNames(), ", "))
		}
	}
	return slices.DeleteFunc(rows(), func(r row) bool { return len(names) > 0 && !slices.Contains(names, r.name) }), nil
}

// Run measures on Kafka and the database that the settings name, and creates topics
// and tables there; it shows on bar how far it has come. When a row fails, the error
// names it, and the results hold those before it.
func Run(ctx context.Context, s *node.Settings, o Options, bar io.Writer) (_ *Results, err error) {
	chosen, err := o.chosen()
	if err != nil {
		return nil, err
	}
	if o.Rounds < 1 {
		return nil, fmt.Errorf("--rounds: must be 1 or more, is %d", o.Rounds)
	}
	folder, err := os.MkdirTemp("", "tipoff-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	b := &bench{Options: o, settings: s, folder: folder, bar: bar, homes: map[size]*home{}}
	defer func() { err = errors.Join(err, b.stopShared()) }()
	b.results = Results{At: time.Now().UTC().Truncate(time.Second), Machine: thisMachine(), Kafka: "embedded", Small: o.Small, Rounds: o.Rounds}
	if !s.Embedded() {
		b.results.Kafka = s.Brokers
	}
	for i, row := range chosen {
		fmt.Fprintf(bar, "%s: %s (%d of %d)\n", row.name, row.what, i+1, len(chosen))
		if err := b.profiled(row.name, func() error { return row.run(b, ctx) }); err != nil {
			return &b.results, fmt.Errorf("measure %s: %w", row.name, err)
		}
	}
	return &b.results, nil
}

// leaveOut notes what cannot be measured here, and what it would need.
func (b *bench) leaveOut(row, why string) {
	b.results.LeftOut = append(b.results.LeftOut, row+": "+why)
}
