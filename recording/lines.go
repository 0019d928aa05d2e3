package recording

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"

	"tipoff"
)

// line is one line of a log: a [tipoff.Fact] whose body is not decoded yet, so that a
// log can be measured without reading what it says.
type line struct {
	Kind tipoff.Kind    `json:"kind"`
	At   time.Time      `json:"at"`
	Body jsontext.Value `json:"body"`
}

// maxLine is the most that a line may take, in bytes.
const maxLine = 4 << 20

// anyTime lets all times of a log pass.
var anyTime = tipoff.Reading{Now: time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC)}

// Read calls each for every fact of a log, in the order of the file.
func Read(path string, each func(tipoff.Fact) error) error {
	return readFile(path, decoded(each))
}

// decoded turns a visitor of facts into one of lines.
func decoded(each func(tipoff.Fact) error) func(*line) error {
	return func(l *line) error {
		f, err := tipoff.DecodeFact(l.Kind, l.Body, anyTime)
		if err != nil {
			return err
		}
		f.At = l.At
		return each(f)
	}
}

// Extent is how much a log holds.
type Extent struct {
	Facts      int
	LastCoupon time.Time // zero: it has no coupon
}

// Measure returns the extent of a log. It decodes no body: one with faults counts.
func Measure(ctx context.Context, path string) (x Extent, err error) {
	err = readFile(path, func(l *line) error {
		x.Facts++
		if l.Kind == tipoff.KindCoupon && l.At.After(x.LastCoupon) {
			x.LastCoupon = l.At
		}
		return ctx.Err()
	})
	return x, err
}

// readFile calls each for every line of a file, plain or packed.
func readFile(path string, each func(*line) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if !strings.HasSuffix(path, ".gz") {
		return readLines(file, path, each)
	}
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer unpacked.Close()
	return readLines(unpacked, path, each)
}

// readLines calls each for every line that is not empty; name is for errors.
func readLines(from io.Reader, name string, each func(*line) error) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		if err := each(&l); err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
	}
	return lines.Err()
}

// Write writes facts as lines of a log. A log has no changes of events.
func Write(out io.Writer, facts ...tipoff.Fact) error {
	for i := range facts {
		kind, entity := facts[i].Entity()
		if kind == "" {
			return fmt.Errorf("write a log: fact %d is no user, event or coupon", i)
		}
		body, err := json.Marshal(entity)
		if err != nil {
			return fmt.Errorf("write a log: %w", err)
		}
		text, err := json.Marshal(line{Kind: kind, At: facts[i].At, Body: body})
		if err != nil {
			return fmt.Errorf("write a log: %w", err)
		}
		if _, err := out.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}
