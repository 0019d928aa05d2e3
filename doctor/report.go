package doctor

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tipoff/node"
)

// State is how a check came out.
type State string

// The states, the least serious first.
const (
	OK      State = "ok"
	Skipped State = "skipped" // it does not apply, or what it needs was found wanting by another check
	Warning State = "warning" // it works, but less well than it may be relied upon
	Unknown State = "unknown" // it could not be looked at
	Wrong   State = "wrong"
)

// Exit statuses of the command.
const (
	ExitWrong   = 2 // something is wrong, or with --strict there is a warning
	ExitUnknown = 3 // something could not be looked at, and nothing else is wrong
)

// Check is one thing that was looked at.
type Check struct {
	Area   string   `json:"area"` // a file of this package
	Name   string   `json:"name"`
	State  State    `json:"state"`
	Detail string   `json:"detail"`           // what was seen, or what is wrong
	Advice []Advice `json:"advice,omitempty"` // what mends it
}

// Advice is what to do about a finding.
type Advice struct {
	Do      string   `json:"do,omitempty"`      // in words
	Command []string `json:"command,omitempty"` // by which it is done, word by word
}

// Report is all that was found.
type Report struct {
	Version string    `json:"version"` // of this program
	At      time.Time `json:"at"`
	Exit    int       `json:"exit"` // the command's exit status
	Checks  []Check   `json:"checks"`
}

func newReport() *Report {
	return &Report{Version: node.ThisVersion().Version, At: time.Now().UTC(), Checks: []Check{}}
}

func (r *Report) add(c Check) { r.Checks = append(r.Checks, c) }

// areas is the order in which people read a report: what others depend on comes first.
var areas = []string{areaSettings, areaBroker, areaTopics, areaPositions, areaGroups, areaVersions, areaDatabase, areaClocks, areaDisk, areaLimits, areaProcess}

func (r *Report) order() {
	slices.SortStableFunc(r.Checks, func(a, b Check) int {
		return cmp.Compare(slices.Index(areas, a.Area), slices.Index(areas, b.Area))
	})
}

// ok adds a check that found nothing to mend.
func (r *Report) ok(area, name, detail string, values ...any) {
	r.add(Check{Area: area, Name: name, State: OK, Detail: fmt.Sprintf(detail, values...)})
}

// Count is how many checks came out so.
func (r *Report) Count(s State) (n int) {
	for _, c := range r.Checks {
		if c.State == s {
			n++
		}
	}
	return n
}

// Conclude sets the exit status and returns it. With strict a warning counts as wrong.
func (r *Report) Conclude(strict bool) int {
	switch {
	case r.Count(Wrong) > 0, strict && r.Count(Warning) > 0:
		r.Exit = ExitWrong
	case r.Count(Unknown) > 0:
		r.Exit = ExitUnknown
	}
	return r.Exit
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(out io.Writer) error {
	return json.MarshalWrite(out, r, jsontext.WithIndent("  "))
}

// colours of the states on a terminal: bold green, grey, yellow, magenta, red.
var colours = map[State]string{OK: "32", Skipped: "90", Warning: "33", Unknown: "35", Wrong: "31"}

// WriteText writes the report for people: a line a check, and below each what to do.
func (r *Report) WriteText(out io.Writer, coloured bool) error {
	area, name := 0, 0
	for _, c := range r.Checks {
		area, name = max(area, len(c.Area)), max(name, utf8.RuneCountInString(c.Name))
	}
	var b strings.Builder
	for _, c := range r.Checks {
		state := fmt.Sprintf("%-8s", c.State)
		if coloured {
			state = "\x1b[" + colours[c.State] + "m" + state + "\x1b[0m"
		}
		fmt.Fprintf(&b, "%s %-*s  %-*s  %s\n", state, area, c.Area, name, c.Name, oneLine(c.Detail))
		for _, a := range c.Advice {
			if a.Do != "" {
				fmt.Fprintf(&b, "           %s\n", oneLine(a.Do))
			}
			if len(a.Command) > 0 {
				fmt.Fprintf(&b, "           $ %s\n", oneLine(words(a.Command)))
			}
		}
	}
	fmt.Fprintf(&b, "%s\n", r.Summary())
	_, err := io.WriteString(out, b.String())
	return err
}

// Summary says in one line how the report ends.
func (r *Report) Summary() string {
	var found []string
	for _, s := range []State{Wrong, Unknown, Warning} {
		if n := r.Count(s); n > 0 {
			found = append(found, fmt.Sprintf("%d %s", n, s))
		}
	}
	if len(found) == 0 {
		found = []string{"nothing is wrong"}
	}
	return fmt.Sprintf("%d checks: %s", len(r.Checks), strings.Join(found, ", "))
}

// oneLine keeps what others have written from moving the cursor or beginning a line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}
