package bench

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"tipoff/progress"
)

// figures are what one turn of a side came to, by name.
type figures map[string]float64

// side measures one side of a comparison once.
type side func(context.Context) (figures, error)

// figure says how one of the figures becomes a line of the table.
type figure struct {
	name  string
	what  string
	unit  string
	note  string
	reach []Reach
}

// comparison is two sides that are measured in turns.
type comparison struct {
	row          string
	against      string
	tipoff       side
	other        side // nil: there is none, the figures are compared with limits
	figures      []figure
	withoutFirst bool // a first round warms both up, and does not count
	pairs        int  // of turns in a round, A B B A and so on, whose means count: for small differences; 0: one
}

// turns measures a comparison, A B A B and so on, and adds its lines.
func (b *bench) turns(ctx context.Context, c comparison) error {
	rounds := b.Rounds
	if c.withoutFirst {
		rounds++
	}
	bar := progress.New(b.bar, c.row, rounds)
	defer bar.End()
	var tipoff, other []figures
	for range rounds {
		mine, yours, err := c.round(ctx)
		if err != nil {
			return err
		}
		tipoff = append(tipoff, mine)
		if c.other != nil {
			other = append(other, yours)
		}
		bar.Add(1)
	}
	if c.withoutFirst {
		tipoff, other = tipoff[1:], other[min(1, len(other)):]
	}
	for _, f := range c.figures {
		b.add(c.line(f, tipoff, other))
	}
	return nil
}

// round measures both sides once, or in pairs of turns. What slows the machine down for a
// while then slows both, and what drifts cancels out, as every other pair is the other way
// round.
func (c *comparison) round(ctx context.Context) (tipoff, other figures, err error) {
	var mine, yours []figures
	turn := func(s side, to *[]figures, whose string) error {
		if s == nil {
			return nil
		}
		got, err := s(ctx)
		if err != nil {
			return fmt.Errorf("%s%w", whose, err)
		}
		*to = append(*to, got)
		return nil
	}
	ours := func() error { return turn(c.tipoff, &mine, "") }
	theirs := func() error { return turn(c.other, &yours, "what it is measured against: ") }
	for i := range max(1, c.pairs) {
		first, second := ours, theirs
		if i%2 == 1 {
			first, second = theirs, ours
		}
		if err := first(); err != nil {
			return nil, nil, err
		}
		if err := second(); err != nil {
			return nil, nil, err
		}
	}
	return means(mine), means(yours), nil
}

// means are the figures that all turns have on average.
func means(turns []figures) figures {
	if len(turns) == 0 {
		return nil
	}
	sum := figures{}
	for name := range turns[0] {
		values := column(turns, name)
		for _, v := range values {
			sum[name] += v / float64(len(values))
		}
	}
	return sum
}

// line sums up what the rounds came to in one figure.
func (c *comparison) line(f figure, tipoff, other []figures) Line {
	l := Line{Row: c.row, Figure: f.name, What: f.what, Against: c.against, Unit: f.unit, Reach: f.reach, Note: f.note}
	mine, yours := column(tipoff, f.name), column(other, f.name)
	if len(yours) == 0 {
		l.Against = ""
	}
	l.Tipoff, l.Least, l.Most = median(mine), slices.Min(mine), slices.Max(mine)
	if len(yours) == 0 {
		return l
	}
	ratios := make([]float64, len(yours))
	for i := range ratios {
		ratios[i] = mine[i] / yours[i]
	}
	l.Other, l.Ratio, l.Least, l.Most = median(yours), median(ratios), slices.Min(ratios), slices.Max(ratios)
	return l
}

func column(rounds []figures, name string) (values []float64) {
	for _, r := range rounds {
		if v, known := r[name]; known { // a side may lack a figure
			values = append(values, v)
		}
	}
	return values
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// quantile is the value below which the share q of the values lies.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(math.Floor(q*float64(len(sorted)))))]
}

// rate makes a side of what returns how much it did a second.
func rate(measure func() (float64, error)) side {
	return func(context.Context) (figures, error) {
		v, err := measure()
		return figures{"rate": v}, err
	}
}

// lasts is how long load runs in one turn.
func (b *bench) lasts() time.Duration {
	if b.Small {
		return 500 * time.Millisecond
	}
	return 2 * time.Second
}

// closed makes a side of closed load.
func (b *bench) closed(l *load) side {
	return func(ctx context.Context) (figures, error) {
		a, err := l.closed(ctx, b.lasts())
		if err != nil {
			return nil, err
		}
		return a.figures(), nil
	}
}
