package main

import (
	"context"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// marks are the disturbances on the time line.
type marks struct {
	mu   sync.Mutex
	list []mark
}

type mark struct {
	what string
	at   time.Time
	on   bool
}

func (m *marks) begin(what string, on bool) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.list = append(m.list, mark{what, now, on})
	return now
}

// lagPoint is how far the groups were behind at a moment.
type lagPoint struct {
	at      time.Time
	records int64
}

// sample measures the lag twice a second, until ctx ends. A cluster that does not
// respond gives no point.
func (h *harness) sample(ctx context.Context) {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	client, err := h.client()
	for {
		select {
		case <-ctx.Done():
			if err == nil {
				_ = client.Close()
			}
			return
		case <-ticker.C:
		}
		if err != nil {
			if client, err = h.client(); err != nil {
				continue
			}
		}
		behind, lagErr := h.lag(client)
		if lagErr != nil {
			continue
		}
		total := int64(0)
		for _, n := range behind {
			total += n
		}
		h.lags = append(h.lags, lagPoint{time.Now(), total})
	}
}

// draw writes the picture: facts accepted a second, records not yet worked off, and
// the disturbances between.
func (h *harness) draw() (string, error) {
	since := func(t time.Time) float64 { return t.Sub(h.started).Seconds() }
	end := since(time.Now())
	perSecond := make(plotter.XYs, int(end)+1)
	for i := range perSecond {
		perSecond[i].X = float64(i)
	}
	for _, s := range h.ledger.accepts {
		if i := int(since(s.at)); i >= 0 && i < len(perSecond) {
			perSecond[i].Y += float64(s.facts)
		}
	}
	behind := make(plotter.XYs, len(h.lags))
	for i, l := range h.lags {
		behind[i] = plotter.XY{X: since(l.at), Y: float64(l.records)}
	}
	panels := make([][]*plot.Plot, 2)
	for i, panel := range []struct {
		title string
		line  plotter.XYs
		color color.Color
	}{
		{"facts accepted a second", perSecond, color.RGBA{R: 0x20, G: 0x60, B: 0xa0, A: 0xff}},
		{"records that the groups have still to finish", behind, color.RGBA{R: 0xa0, G: 0x40, B: 0x20, A: 0xff}},
	} {
		p := plot.New()
		p.Title.Text = panel.title
		p.X.Label.Text = "seconds; grey: something was killed, paused, cut or slow"
		p.X.Min, p.X.Max, p.Y.Min = 0, end, 0
		top := 1.0
		for _, xy := range panel.line {
			top = max(top, xy.Y)
		}
		p.Y.Max = top
		for _, area := range h.marks.areas(since, top) {
			shade, err := plotter.NewPolygon(area)
			if err != nil {
				return "", err
			}
			shade.Color, shade.LineStyle.Width = color.RGBA{R: 0, G: 0, B: 0, A: 0x28}, 0
			p.Add(shade)
		}
		line, err := plotter.NewLine(panel.line)
		if err != nil {
			return "", err
		}
		line.Color, line.Width = panel.color, vg.Points(1)
		p.Add(line)
		panels[i] = []*plot.Plot{p}
	}
	return h.write(panels, max(20, min(100, end/15)))
}

func (h *harness) write(panels [][]*plot.Plot, wide float64) (string, error) {
	canvas := vgimg.New(font.Length(wide)*vg.Centimeter, 16*vg.Centimeter)
	tiles := plot.Align(panels, draw.Tiles{Rows: len(panels), Cols: 1, PadY: vg.Points(10)}, draw.New(canvas))
	for i := range panels {
		panels[i][0].Draw(tiles[i][0])
	}
	name := filepath.Join(h.Folder, "chaos.png")
	file, err := os.Create(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	return name, png.Encode(file, canvas.Image())
}

// areas are the times of the disturbances as rectangles.
func (m *marks) areas(since func(time.Time) float64, top float64) (list []plotter.XYs) {
	began := map[string]time.Time{}
	for _, mark := range m.list {
		if mark.on {
			began[mark.what] = mark.at
			continue
		}
		from, to := since(began[mark.what]), since(mark.at)
		list = append(list, plotter.XYs{{X: from, Y: 0}, {X: to, Y: 0}, {X: to, Y: top}, {X: from, Y: top}})
	}
	return list
}
