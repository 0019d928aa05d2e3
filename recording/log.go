// Package recording reads and writes replay logs: what one company posted, a user, an
// event or a coupon a line, with when it came.
//
// A line is {"kind", "at", "body"}, the body as the API takes it; a file may be packed
// with gzip. [Load] reads a whole log into memory and puts it in the order of time, for
// who measures; [Read] hands it on fact by fact in the order of the file, for who posts
// it again. The times of a log may be any: they are not compared with the clock, and
// [Shift] moves them.
package recording

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tipoff"
)

// Log is a recorded stream of one company, in memory.
type Log struct {
	Name    string
	Facts   []tipoff.Fact // by time
	Coupons int           // how many of the facts are coupons
}

// Load reads a log into memory. Its name is the file's, without the endings.
func Load(ctx context.Context, path string) (*Log, error) {
	l := &Log{Name: strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".gz"), ".ndjson")}
	err := Read(path, func(f tipoff.Fact) error {
		l.Add(f)
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(l.Facts, func(a, b tipoff.Fact) int { return a.At.Compare(b.At) })
	return l, nil
}

// Add appends a fact, which must not be older than those before it.
func (l *Log) Add(f tipoff.Fact) {
	l.Facts = append(l.Facts, f)
	if f.Coupon != nil {
		l.Coupons++
	}
}

// Shift moves the times of a fact: when it came, when its event begins and ends, when
// its coupon was placed. A user's date of registration stays.
func Shift(f *tipoff.Fact, by time.Duration) {
	moved := func(t time.Time) time.Time { return t.Add(by).Truncate(time.Microsecond) }
	f.At = moved(f.At)
	if e := f.Event; e != nil {
		e.Begin, e.End = moved(e.Begin), moved(e.End)
	}
	if c := f.Coupon; c != nil {
		c.Timestamp = moved(c.Timestamp)
	}
}
