package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"tipoff/node"
)

func namesOf(rows []row) (names []string) {
	for _, r := range rows {
		names = append(names, r.name)
	}
	return names
}

func TestOptions_ChooseRowsByName(t *testing.T) {
	for _, c := range []struct {
		options Options
		want    []string
	}{
		{Options{}, RowNames()},
		{Options{Names: []string{"post", "lookup"}}, []string{"lookup", "post"}},
		{Options{Only: "sink"}, []string{"sink"}},
		{Options{Names: []string{"post"}, Only: "sink"}, []string{"post", "sink"}},
	} {
		if got, err := c.options.chosen(); err != nil || !slices.Equal(namesOf(got), c.want) {
			t.Errorf("%v: %v, %v; want %v", c.options, namesOf(got), err, c.want)
		}
	}
}

func TestRun_SaysWhichRowsThereAre(t *testing.T) {
	_, err := Run(t.Context(), &node.Settings{}, Options{Names: []string{"lokup"}, Rounds: 1}, t.Output())
	if err == nil || !strings.Contains(err.Error(), "lookup, ") || !strings.Contains(err.Error(), `"lokup"`) {
		t.Error(err)
	}
}

func TestReach_IsMetAtTheNumberItself(t *testing.T) {
	for _, c := range []struct {
		ratio, tipoff float64
		reach         []Reach
		met           bool
	}{
		{.5, 0, []Reach{atLeast(.5)}, true},
		{.49, 0, []Reach{atLeast(.5)}, false},
		{2, 0, []Reach{atMost(2)}, true},
		{2.1, 0, []Reach{atMost(2)}, false},
		{.6, 7000, []Reach{atLeast(.5), itselfLeast(8000)}, false},
		{.6, 8000, []Reach{atLeast(.5), itselfLeast(8000)}, true},
		{3.5, 9, []Reach{atMost(4), itselfAtMost(10)}, true},
		{3.5, 11, []Reach{atMost(4), itselfAtMost(10)}, false},
	} {
		l := Line{Ratio: c.ratio, Tipoff: c.tipoff, Reach: c.reach}
		if l.judge(); l.Met == nil || *l.Met != c.met {
			t.Errorf("%+v: met is not %t", l, c.met)
		}
	}
	l := Line{Ratio: .1}
	if l.judge(); l.Met != nil {
		t.Error("without anything to reach a line is met or not")
	}
}

// orderOfTurns notes the order in which sides are measured.
type orderOfTurns struct{ names []string }

// side has a rate of one value a turn.
func (o *orderOfTurns) side(name string, values ...float64) side {
	return func(context.Context) (figures, error) {
		o.names = append(o.names, name)
		v := values[0]
		values = values[1:]
		return figures{"rate": v}, nil
	}
}

func TestTurns_AlternateAndTakeMedians(t *testing.T) {
	b := &bench{Options: Options{Rounds: 3}, bar: t.Output()}
	var order orderOfTurns
	err := b.turns(t.Context(), comparison{
		row: "row", against: "other", withoutFirst: true,
		tipoff:  order.side("A", 1e6, 10, 30, 20),
		other:   order.side("B", 1e6, 20, 30, 80),
		figures: []figure{{name: "rate", unit: "requests/s", reach: []Reach{atLeast(.6)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order.names, ""); got != "ABABABAB" {
		t.Error(got)
	}
	l := b.results.Lines[0]
	if l.Tipoff != 20 || l.Other != 30 || l.Ratio != .5 || l.Least != .25 || l.Most != 1 || *l.Met {
		t.Errorf("%+v", l)
	}
}

func TestTurns_PairsOfARoundChangeTheirOrderAndTakeMeans(t *testing.T) {
	b := &bench{Options: Options{Rounds: 1}, bar: t.Output()}
	var order orderOfTurns
	err := b.turns(t.Context(), comparison{
		row: "row", pairs: 3, tipoff: order.side("A", 10, 20, 60), other: order.side("B", 10, 20, 30), figures: []figure{{name: "rate"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order.names, ""); got != "ABBAAB" {
		t.Error(got)
	}
	if l := b.results.Lines[0]; l.Tipoff != 30 || l.Other != 20 || l.Ratio != 1.5 {
		t.Errorf("%+v", l)
	}
}

func TestTurns_EndAtTheFirstError(t *testing.T) {
	b := &bench{Options: Options{Rounds: 3}, bar: t.Output()}
	broken := errors.New("refused")
	err := b.turns(t.Context(), comparison{
		tipoff: func(context.Context) (figures, error) { return figures{}, nil },
		other:  func(context.Context) (figures, error) { return nil, broken },
	})
	if !errors.Is(err, broken) || len(b.results.Lines) > 0 {
		t.Error(err, b.results.Lines)
	}
}

func TestResults_SayWhatFallsShort(t *testing.T) {
	b := &bench{}
	b.add(Line{Row: "lookup", Figure: "rate", Unit: "requests/s", Tipoff: 9, Other: 10, Ratio: .9, Reach: []Reach{atLeast(.5)}})
	b.add(Line{Row: "post", Figure: "rate", Unit: "requests/s", Tipoff: 1, Other: 10, Ratio: .1, Reach: []Reach{atLeast(.5)}})
	b.add(Line{Row: "start", Figure: "after kill -9", Unit: "s", Tipoff: 12, Reach: []Reach{itselfAtMost(10)}})
	var out strings.Builder
	b.results.Print(&out)
	_, short, found := strings.Cut(out.String(), "falls short:")
	if !found || strings.Contains(short, "lookup") || !strings.Contains(short, "post, rate: 1 requests/s, ratio 0.10; to reach: >= 0.5") ||
		!strings.Contains(short, "start, after kill -9: 12 s; to reach: <= 10 s") {
		t.Error(out.String())
	}
	file := filepath.Join(t.TempDir(), "new", "results.json")
	if err := b.results.Write(file); err != nil {
		t.Fatal(err)
	}
	var read Results
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	if err != nil || len(read.Lines) != 3 || *read.Lines[1].Met || read.Lines[1].Reach[0].AtLeast != .5 {
		t.Error(err, string(text))
	}
}
