package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDraw_WritesPlotsThatCanBeRead(t *testing.T) {
	b := &bench{Options: Options{Plot: filepath.Join(t.TempDir(), "plots")}}
	for name, c := range map[string]chart{
		"one-point":   {logX: true, logY: true, curves: []curve{{"p50", [][2]float64{{1000, .2}}}}},
		"logarithmic": {logX: true, curves: []curve{{"p50", [][2]float64{{1000, .2}, {100_000, .3}}}, {"p99", [][2]float64{{1000, 2}}}}},
		"empty":       {logX: true},
	} {
		if err := b.draw(name, c); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(b.Plot, name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "NaN") || strings.Contains(string(text), "Inf") {
			t.Errorf("%s: %s", name, text)
		}
		for d := xml.NewDecoder(strings.NewReader(string(text))); err == nil; {
			_, err = d.Token()
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAxis_PlacesValuesBetweenItsEnds(t *testing.T) {
	c := chart{logX: true, curves: []curve{{"p50", [][2]float64{{100, 5}, {10_000, 10}}}}}
	x, y := c.axis(0, true), c.axis(1, false)
	if x.place(100) != 0 || x.place(1000) != .5 || x.place(10_000) != 1 || y.place(5) != .5 || y.value(.5) != 5 {
		t.Error(x.place(100), x.place(1000), x.place(10_000), y.place(5), y.value(.5))
	}
}
