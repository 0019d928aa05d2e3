package evaluate

import (
	"fmt"
	"math"
	"strings"
)

// Plots draws the results as SVG, by file name: for each log NDCG over time, and
// quality against the time that a ranking takes.
func Plots(results []*Result) map[string]string {
	plots := map[string]string{}
	for _, log := range byLog(results) {
		plots[log[0].Log+"-time.svg"] = overTime(log)
		plots[log[0].Log+"-speed.svg"] = againstSpeed(log)
	}
	return plots
}

const (
	plotWidth, plotHeight = 640.0, 360.0
	plotLeft, plotRight   = 60.0, 150.0
	plotTop, plotBottom   = 30.0, 40.0
)

var plotColours = []string{"#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb", "#000000", "#996633", "#ff8800", "#008080", "#7700aa"}

// chart is a plot under way: x and y go from 0 to 1.
type chart struct{ strings.Builder }

func newChart(title, x string, most float64) *chart {
	c := new(chart)
	fmt.Fprintf(c, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="11">`, plotWidth, plotHeight)
	fmt.Fprintf(c, `<rect width="100%%" height="100%%" fill="white"/><text x="%g" y="18" font-size="13">%s</text>`, plotLeft, title)
	for i := range 5 {
		v := float64(i) / 4
		fmt.Fprintf(c, `<line x1="%g" x2="%g" y1="%[3]g" y2="%[3]g" stroke="#ddd"/><text x="%[1]g" y="%[3]g" dx="-6" dy="4" text-anchor="end">%.3[4]f</text>`,
			plotLeft, plotWidth-plotRight, plotY(v), v*most)
	}
	fmt.Fprintf(c, `<text x="%g" y="%g">%s</text>`, plotLeft, plotHeight-8, x)
	return c
}

func plotX(v float64) float64 { return plotLeft + v*(plotWidth-plotLeft-plotRight) }
func plotY(v float64) float64 { return plotHeight - plotBottom - v*(plotHeight-plotTop-plotBottom) }

func (c *chart) name(i int, name string) {
	fmt.Fprintf(c, `<text x="%g" y="%g" fill="%s">%s</text>`, plotWidth-plotRight+8, plotTop+10+14*float64(i), plotColours[i%len(plotColours)], name)
}

func (c *chart) end() string { return c.String() + "</svg>\n" }

func overTime(log []*Result) string {
	most := 0.01
	for _, r := range log {
		for _, v := range r.Line {
			most = max(most, v)
		}
	}
	c := newChart(log[0].Log+": NDCG@10 over the scored part of the log", "time", most)
	for i, r := range log {
		var points []string
		for k, v := range r.Line {
			points = append(points, fmt.Sprintf("%.1f,%.1f", plotX((float64(k)+0.5)/float64(len(r.Line))), plotY(v/most)))
		}
		fmt.Fprintf(c, `<polyline fill="none" stroke="%s" points="%s"/>`, plotColours[i%len(plotColours)], strings.Join(points, " "))
		c.name(i, r.Ranker)
	}
	return c.end()
}

func againstSpeed(log []*Result) string {
	most, slowest := 0.01, 10.0
	for _, r := range log {
		most, slowest = max(most, r.NDCG), max(slowest, r.P50)
	}
	c := newChart(log[0].Log+": NDCG@10 against the median time of an answer", fmt.Sprintf("microseconds, logarithmic, 1 to %.0f", slowest), most)
	for i, r := range log {
		x := math.Log(max(1, r.P50)) / math.Log(slowest)
		fmt.Fprintf(c, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>`, plotX(x), plotY(r.NDCG/most), plotColours[i%len(plotColours)])
		c.name(i, r.Ranker)
	}
	return c.end()
}
