package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Plots are SVG by hand, as those of quality are: a library that draws would come with
// every Tipoff (docs/decisions/0015-harness-module.md).

// curve is a line of a plot.
type curve struct {
	name   string
	points [][2]float64
}

// chart is a plot. Axes are logarithmic where they say so, and then begin at the least
// value; else at 0.
type chart struct {
	title, x, y string
	logX, logY  bool
	curves      []curve
}

const (
	plotWidth, plotHeight = 640.0, 360.0
	plotLeft, plotRight   = 70.0, 130.0
	plotTop, plotBottom   = 30.0, 45.0
)

var plotColours = []string{"#4477aa", "#ee6677", "#228833", "#ccbb44", "#aa3377"}

// axis maps values to 0 to 1.
type axis struct {
	least, most float64
	log         bool
}

func (c *chart) axis(of int, log bool) axis {
	a := axis{least: math.Inf(1), most: math.Inf(-1), log: log}
	for _, curve := range c.curves {
		for _, p := range curve.points {
			a.least, a.most = min(a.least, p[of]), max(a.most, p[of])
		}
	}
	switch {
	case !log:
		a.least = 0
	case a.most < a.least: // there are no points
		a.least = 1
	}
	if a.most <= a.least {
		a.most = a.least + 1
	}
	return a
}

func (a axis) place(v float64) float64 {
	if a.log {
		return math.Log(v/a.least) / math.Log(a.most/a.least)
	}
	return (v - a.least) / (a.most - a.least)
}

func (a axis) value(place float64) float64 {
	if a.log {
		return a.least * math.Pow(a.most/a.least, place)
	}
	return a.least + place*(a.most-a.least)
}

func (c *chart) svg() string {
	var out strings.Builder
	xs, ys := c.axis(0, c.logX), c.axis(1, c.logY)
	x := func(place float64) float64 { return plotLeft + place*(plotWidth-plotLeft-plotRight) }
	y := func(place float64) float64 { return plotHeight - plotBottom - place*(plotHeight-plotTop-plotBottom) }
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="11">`, plotWidth, plotHeight)
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" fill="white"/><text x="%g" y="18" font-size="13">%s</text>`, plotLeft, c.title)
	for i := range 5 {
		place := float64(i) / 4
		fmt.Fprintf(&out, `<line x1="%g" x2="%g" y1="%[3]g" y2="%[3]g" stroke="#ddd"/>`, x(0), x(1), y(place))
		fmt.Fprintf(&out, `<text x="%g" y="%g" text-anchor="end">%.3g</text>`, x(0)-6, y(place)+4, ys.value(place))
		fmt.Fprintf(&out, `<text x="%g" y="%g" text-anchor="middle">%.4g</text>`, x(place), y(0)+15, xs.value(place))
	}
	fmt.Fprintf(&out, `<text x="%g" y="%g">%s; upwards: %s</text>`, plotLeft, plotHeight-8, c.x, c.y)
	for i, curve := range c.curves {
		var points []string
		for _, p := range curve.points {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(xs.place(p[0])), y(ys.place(p[1]))))
		}
		colour := plotColours[i%len(plotColours)]
		fmt.Fprintf(&out, `<polyline fill="none" stroke="%s" points="%s"/>`, colour, strings.Join(points, " "))
		fmt.Fprintf(&out, `<text x="%g" y="%g" fill="%s">%s</text>`, x(1)+8, plotTop+10+14*float64(i), colour, curve.name)
	}
	return out.String() + "</svg>\n"
}

// draw writes a plot as NAME.svg where --plot says.
func (b *bench) draw(name string, c chart) error {
	if err := os.MkdirAll(b.Plot, 0o755); err != nil {
		return fmt.Errorf("--plot: %w", err)
	}
	return os.WriteFile(filepath.Join(b.Plot, name+".svg"), []byte(c.svg()), 0o644)
}

// plotOffered draws latencies at rates up to where the node does not keep up.
func (b *bench) plotOffered(ctx context.Context, l *load, reached float64) error {
	p50, p99 := curve{name: "p50"}, curve{name: "p99"}
	for _, share := range []float64{.1, .2, .3, .4, .5, .6, .7, .8, .85, .9, .95, 1, 1.05, 1.1} {
		a, err := l.open(ctx, share*reached, b.lasts())
		if errors.Is(err, errSaturated) {
			break
		}
		if err != nil {
			return err
		}
		p50.points = append(p50.points, [2]float64{share * reached, a.at(.5)})
		p99.points = append(p99.points, [2]float64{share * reached, a.at(.99)})
	}
	return b.draw("lookup-load", chart{title: "lookup: latency against offered load", x: "requests/s offered", y: "ms, logarithmic", logY: true, curves: []curve{p50, p99}})
}

// plotFreshness draws how many bets are learnt within which time.
func (b *bench) plotFreshness(took []float64) error {
	c := curve{name: "learnt"}
	for i, t := range slices.Sorted(slices.Values(took)) {
		c.points = append(c.points, [2]float64{t, float64(i+1) / float64(len(took))})
	}
	return b.draw("freshness", chart{title: "post acknowledged to changed recommendation", x: "ms", y: "share of bets", curves: []curve{c}})
}
