package oracle

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"tipoff/topics"
)

// Kind is what is wrong about a difference.
type Kind string

// The kinds of difference.
const (
	Lost  Kind = "lost"  // a fact is missing
	Twice Kind = "twice" // a fact counts more than once
	Wrong Kind = "wrong" // anything else
)

// Difference is one way in which what is there differs from what must be.
type Difference struct {
	Kind Kind
	Text string
}

func (d Difference) String() string { return string(d.Kind) + ": " + d.Text }

// Tables are the newest value of each key of both tables. Keys of other companies
// are passed over.
type Tables struct{ Bettors, Fixtures map[string][]byte }

// CompareTables lists how the tables differ from the facts.
func (f *Facts) CompareTables(t Tables) []Difference {
	var d differences
	f.compareBettors(t.Bettors, &d)
	f.compareFixtures(t.Fixtures, &d)
	return d
}

// CompareRejections lists how the records of [topics.Rejected] differ from what
// the processors must reject. The sink may reject the same records.
func (f *Facts) CompareRejections(values [][]byte) []Difference {
	var d differences
	positions, seen := map[string]bool{}, map[string]bool{}
	for id := range f.Refused {
		_, position, _ := strings.Cut(id, "/")
		positions[position] = true
	}
	for _, value := range values {
		var r topics.Rejection
		if err := json.Unmarshal(value, &r); err != nil {
			d.add(Wrong, "a rejection cannot be read: %s", value)
			continue
		}
		if !strings.HasPrefix(r.Key, f.Company+"/") {
			continue
		}
		r.Epoch = 0 // the facts do not say it
		id := r.ID()
		_, position, _ := strings.Cut(id, "/")
		if seen[id] = true; f.Refused[id] == "" && !(r.By == topics.GroupSink && positions[position]) {
			d.add(Wrong, "%s was rejected (%s), and must not be", id, r.Reason)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.Refused)) {
		if !seen[id] {
			d.add(Lost, "%s (it %s) is not among the rejections", id, f.Refused[id])
		}
	}
	return d
}

type differences []Difference

func (d *differences) add(kind Kind, format string, args ...any) {
	*d = append(*d, Difference{kind, fmt.Sprintf(format, args...)})
}

// count compares what counts facts: fewer are lost, more count twice.
func (d *differences) count(what string, got, want uint64) (equal bool) {
	switch {
	case got < want:
		d.add(Lost, "%s: %d, must be %d", what, got, want)
	case got > want:
		d.add(Twice, "%s: %d, must be %d", what, got, want)
	}
	return got == want
}

// sum compares decayed sums, which may differ by rounding: one part in a billion.
func (d *differences) sum(what string, got, want float64) {
	if !near(got, want) {
		d.add(Wrong, "%s: %v, must be %v", what, got, want)
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1e-3, math.Abs(a), math.Abs(b)) }

// faded is what remains of a weight after so many seconds.
func faded(weight float64, seconds int64, halfLife float64) float64 {
	return weight * math.Pow(2, -float64(seconds)/halfLife)
}

// ours lists, in order, the ids of the company's keys in a table: for the key of a
// part of a value the id that it belongs to.
func (f *Facts) ours(values map[string][]byte) []string {
	ids := map[string]bool{}
	for key := range values {
		whole, _, _ := topics.SplitPartKey(key)
		if id, ours := strings.CutPrefix(whole, f.Company+"/"); ours {
			ids[id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// union lists the keys of both maps in order.
func union[A, B any](a map[string]A, b map[string]B) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
