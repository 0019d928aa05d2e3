package evaluate

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tipoff/progress"
	"tipoff/recording"
)

// Measuring is how logs are measured, and where the figures go; the tags are those of
// the command line.
type Measuring struct {
	Every   int      `default:"1" placeholder:"N" help:"Score each Nth coupon; all are learnt from. 0: about 5,000 a log (default ${default})."`
	First   int      `default:"0" placeholder:"N" help:"Stop after the first N coupons; 0: all (default ${default})."`
	Rankers []string `placeholder:"NAME,..." help:"Which rankers: ${rankers}; all unless named. ablation, ablation-terms: the learnt one, and it without each part of its score, or each term."`
	JSON    string   `name:"json" type:"path" placeholder:"FILE" help:"Write one object a ranker and log there."`
	Report  string   `type:"path" placeholder:"FILE" help:"Put the tables between the marks of this Markdown file."`
	Plot    string   `type:"path" placeholder:"DIR" help:"Write SVG plots there: quality over time, and against microseconds."`
}

const (
	plotted     = 40   // points of a line over time
	scoredAbout = 6250 // coupons, of which the first fifth is not scored
)

// Measure measures the rankers on each log, prints its table and writes the files that
// are asked for. It shows on bar how far it has come.
func Measure(ctx context.Context, logs []string, m Measuring, out, bar io.Writer) error {
	var all []*Result
	for _, path := range logs {
		log, err := recording.Load(ctx, path)
		if err != nil {
			return err
		}
		rankers, err := Rankers(m.Rankers)
		if err != nil {
			return err
		}
		coupons := log.Coupons
		if m.First > 0 {
			coupons = min(coupons, m.First)
		}
		every := m.Every
		if every <= 0 {
			every = max(1, coupons/scoredAbout)
		}
		p := progress.New(bar, log.Name, coupons)
		results, err := Judge(ctx, log, rankers, Options{
			Every: every, First: m.First, Clock: Clock(), Progress: p.Add, Plotted: plotted,
		})
		p.End()
		if err != nil {
			return err
		}
		Compare(results, "tipoff")
		Table(out, results)
		all = append(all, results...)
	}
	return m.write(all)
}

func (m *Measuring) write(all []*Result) error {
	if m.JSON != "" {
		b, err := json.Marshal(all, jsontext.Multiline(true))
		if err != nil {
			return err
		}
		if err := os.WriteFile(m.JSON, append(b, '\n'), 0o644); err != nil {
			return err
		}
	}
	if m.Report != "" {
		text, err := os.ReadFile(m.Report)
		if err != nil {
			return err
		}
		plots := ""
		if m.Plot != "" {
			if plots, err = filepath.Rel(filepath.Dir(m.Report), m.Plot); err != nil {
				return err
			}
		}
		page, err := Report(string(text), all, filepath.ToSlash(plots))
		if err != nil {
			return fmt.Errorf("%s: %w", m.Report, err)
		}
		if err := os.WriteFile(m.Report, []byte(page), 0o644); err != nil {
			return err
		}
	}
	if m.Plot == "" {
		return nil
	}
	if err := os.MkdirAll(m.Plot, 0o755); err != nil {
		return err
	}
	for name, svg := range Plots(all) {
		if err := os.WriteFile(filepath.Join(m.Plot, name), []byte(svg), 0o644); err != nil {
			return err
		}
	}
	return nil
}
