package bench

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Results is what a run leaves behind.
type Results struct {
	At      time.Time `json:"at"`
	Machine Machine   `json:"machine"`
	Kafka   string    `json:"kafka"` // addresses, or "embedded"
	Small   bool      `json:"small,omitzero"`
	Rounds  int       `json:"rounds"`
	Lines   []Line    `json:"rows"`
	LeftOut []string  `json:"left_out"`
}

// Line is one figure of a row.
type Line struct {
	Row     string  `json:"row"`
	Figure  string  `json:"figure"`
	What    string  `json:"what"`
	Against string  `json:"against"`         // what it is measured against in the same run
	Unit    string  `json:"unit"`            // of the next two
	Tipoff  float64 `json:"tipoff"`          // median of the rounds
	Other   float64 `json:"other,omitzero"`  // the same of what it is measured against; 0: of nothing
	Ratio   float64 `json:"ratio,omitzero"`  // median of the rounds' ratios Tipoff / Other
	Least   float64 `json:"least,omitzero"`  // smallest of the rounds' ratios; of Tipoff's figures where there are none
	Most    float64 `json:"most,omitzero"`   // largest, likewise
	Reach   []Reach `json:"reach,omitempty"` // all are to be reached; none: reported only
	Met     *bool   `json:"met,omitempty"`   // nil: there is nothing to reach
	Note    string  `json:"note,omitempty"`
}

// Reach is a number that a line is to reach.
type Reach struct {
	Of      string  `json:"of"` // ofRatio or ofTipoff
	AtLeast float64 `json:"at_least,omitzero"`
	AtMost  float64 `json:"at_most,omitzero"`
}

// What a [Reach] is of.
const (
	ofRatio  = "ratio"
	ofTipoff = "tipoff"
)

// atLeast and atMost are of the ratio, the others of Tipoff's own figure.
func atLeast(ratio float64) Reach  { return Reach{Of: ofRatio, AtLeast: ratio} }
func atMost(ratio float64) Reach   { return Reach{Of: ofRatio, AtMost: ratio} }
func itselfLeast(v float64) Reach  { return Reach{Of: ofTipoff, AtLeast: v} }
func itselfAtMost(v float64) Reach { return Reach{Of: ofTipoff, AtMost: v} }
func (r Reach) of(l *Line) float64 {
	return map[string]float64{ofRatio: l.Ratio, ofTipoff: l.Tipoff}[r.Of]
}
func (r Reach) isMet(l *Line) bool {
	if r.AtLeast != 0 {
		return r.of(l) >= r.AtLeast
	}
	return r.of(l) <= r.AtMost
}

// in is the reach as people read it.
func (r Reach) in(l *Line) string {
	unit := ""
	if r.Of == ofTipoff {
		unit = " " + l.Unit
	}
	if r.AtLeast != 0 {
		return fmt.Sprintf(">= %.4g%s", r.AtLeast, unit)
	}
	return fmt.Sprintf("<= %.4g%s", r.AtMost, unit)
}

// judge says whether the line has reached all that it is to reach.
func (l *Line) judge() {
	if len(l.Reach) == 0 {
		return
	}
	met := true
	for _, r := range l.Reach {
		met = met && r.isMet(l)
	}
	l.Met = &met
}

func (l *Line) reach() string {
	var all []string
	for _, r := range l.Reach {
		all = append(all, r.in(l))
	}
	return cmp.Or(strings.Join(all, ", "), "-")
}

func (l *Line) verdict() string {
	switch {
	case l.Met == nil:
		return ""
	case *l.Met:
		return "met"
	}
	return "SHORT"
}

// add judges a line and keeps it.
func (b *bench) add(l Line) {
	l.judge()
	b.results.Lines = append(b.results.Lines, l)
}

// Short lists the lines that are not met.
func (r *Results) Short() (short []Line) {
	for _, l := range r.Lines {
		if l.Met != nil && !*l.Met {
			short = append(short, l)
		}
	}
	return short
}

// Print writes the table for people, and what falls short.
func (r *Results) Print(out io.Writer) {
	table := tabwriter.NewWriter(out, 2, 0, 2, ' ', 0)
	fmt.Fprintf(table, "\nrow\twhat\tagainst\ttipoff\tother\tunit\tratio\tleast..most\treach\t\n")
	for i := range r.Lines {
		l := &r.Lines[i]
		other, ratio := "", ""
		if l.Other != 0 {
			other, ratio = fmt.Sprintf("%.4g", l.Other), fmt.Sprintf("%.2f", l.Ratio)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%.4g\t%s\t%s\t%s\t%.3g..%.3g\t%s\t%s\n",
			l.Row, l.What, l.Against, l.Tipoff, other, l.Unit, ratio, l.Least, l.Most, l.reach(), l.verdict())
	}
	_ = table.Flush()
	fmt.Fprintf(out, "\nratio = tipoff / other, medians of %d rounds; Kafka: %s\non %s\n", r.Rounds, r.Kafka, r.Machine)
	if r.Small {
		fmt.Fprintln(out, "measured with --small: the states are smaller than those that the numbers to reach are of")
	}
	for _, l := range r.Lines {
		if l.Note != "" {
			fmt.Fprintf(out, "%s, %s: %s\n", l.Row, l.Figure, l.Note)
		}
	}
	for _, line := range r.LeftOut {
		fmt.Fprintln(out, "left out:", line)
	}
	r.printShort(out)
}

func (r *Results) printShort(out io.Writer) {
	short := r.Short()
	if len(short) == 0 {
		fmt.Fprintln(out, "\nnothing falls short")
		return
	}
	fmt.Fprintln(out, "\nfalls short:")
	for _, l := range short {
		is := fmt.Sprintf("%.4g %s", l.Tipoff, l.Unit)
		if l.Other != 0 {
			is += fmt.Sprintf(", ratio %.2f", l.Ratio)
		}
		fmt.Fprintf(out, "  %s, %s: %s; to reach: %s\n", l.Row, l.Figure, is, l.reach())
	}
}

// Write keeps the results in a file, whose folder it creates.
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
