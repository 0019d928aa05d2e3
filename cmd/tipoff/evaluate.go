package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tipoff"
	"tipoff/evaluate"
	"tipoff/generator"
	"tipoff/progress"
)

// evaluateMode measures rankers on recorded logs.
type evaluateMode struct {
	Logs    []string `arg:"" type:"existingfile" name:"log" help:"Logs: one {\"kind\", \"at\", \"body\"} a line, plain or .gz."`
	Every   int      `default:"1" placeholder:"N" help:"Score each Nth coupon; all are learnt from. 0: about 5,000 a log (default ${default})."`
	First   int      `default:"0" placeholder:"N" help:"Stop after the first N coupons; 0: all (default ${default})."`
	Rankers []string `placeholder:"NAME,..." help:"Which rankers: ${rankers}; all unless named. ablation, ablation-terms: the learnt one, and it without each part of its score, or each term."`
	JSON    string   `name:"json" type:"path" placeholder:"FILE" help:"Write one object a ranker and log there."`
	Report  string   `type:"path" placeholder:"FILE" help:"Put the tables between the marks of this Markdown file."`
	Plot    string   `type:"path" placeholder:"DIR" help:"Write SVG plots there: quality over time, and against microseconds."`
}

func (evaluateMode) Help() string {
	return `Each coupon is first a question: which of the open events would this user bet on?
Only then it is learnt from. The main figures leave the first fifth of a log out, which is learnt
but not scored for them. The first 100, 1,000 and 10,000 coupons are reported apart.`
}

func (m *evaluateMode) Run(ctx context.Context, t *terminal) error {
	var all []*evaluate.Result
	for _, path := range m.Logs {
		log, err := readLog(ctx, path)
		if err != nil {
			return err
		}
		rankers, err := evaluate.Rankers(m.Rankers)
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
		bar := progress.New(t.errors, log.Name, coupons)
		results, err := evaluate.Judge(ctx, log, rankers, evaluate.Options{
			Every: every, First: m.First, Clock: evaluate.Clock(), Progress: bar.Add, Plotted: plotted,
		})
		bar.End()
		if err != nil {
			return err
		}
		evaluate.Compare(results, "tipoff")
		evaluate.Table(t.out, results)
		all = append(all, results...)
	}
	return m.write(all)
}

const (
	plotted     = 40   // points of a line over time
	scoredAbout = 6250 // coupons, of which the first fifth is not scored
)

func (m *evaluateMode) write(all []*evaluate.Result) error {
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
		page, err := evaluate.Report(string(text), all, filepath.ToSlash(plots))
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
	for name, svg := range evaluate.Plots(all) {
		if err := os.WriteFile(filepath.Join(m.Plot, name), []byte(svg), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// readLog reads a log into memory.
func readLog(ctx context.Context, path string) (*evaluate.Log, error) {
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".gz"), ".ndjson")
	log := &evaluate.Log{Name: name}
	how := tipoff.Reading{Now: time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC)}
	err := generator.ReadLog(path, nil, func(e generator.Entry) error {
		fact := evaluate.Fact{At: e.At}
		switch e.Kind {
		case "user":
			u, err := tipoff.DecodeUser(e.Body, how)
			if err != nil {
				return err
			}
			fact.User = &u
		case "event":
			v, err := tipoff.DecodeEvent(e.Body, how)
			if err != nil {
				return err
			}
			fact.Event = &v
		case "coupon":
			c, err := tipoff.DecodeCoupon(e.Body, how)
			if err != nil {
				return err
			}
			fact.Coupon = &c
		default:
			return fmt.Errorf("kind must be user, event or coupon, is %q", e.Kind)
		}
		log.Add(fact)
		return ctx.Err()
	})
	slices.SortStableFunc(log.Facts, func(a, b evaluate.Fact) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	return log, err
}
