package fields

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxExtra is the most that a free object may take, in bytes of JSON.
const MaxExtra = 4 << 10

// scalar reads a string with its quotes, or a number, as it is written; ok is false, and
// the fault noted, where something else stands. It is valid until the next value is read.
func (r *Reader) scalar(kind jsontext.Kind, called string) (v jsontext.Value, ok bool) {
	if r.broken || !r.kind(kind, called) {
		return nil, false
	}
	v, err := r.dec.ReadValue()
	if err != nil {
		r.broke(err)
		return nil, false
	}
	return v, true
}

// Text reads a string of 1 to most characters without control characters.
func (r *Reader) Text(most int) string {
	v, ok := r.scalar('"', "a string")
	if !ok {
		return ""
	}
	s := r.text(v)
	if n := utf8.RuneCountInString(s); n < 1 || n > most {
		r.Fault("must have 1 to %d characters, has %d", most, n)
	} else if strings.ContainsFunc(s, unicode.IsControl) {
		r.Fault("must not contain control characters")
	}
	return s
}

// ID reads a public id.
func (r *Reader) ID() string {
	v, ok := r.scalar('"', "a string")
	if !ok {
		return ""
	}
	s := r.text(v)
	err := CheckID(s)
	if err == nil && r.strict {
		err = CheckVisible(s)
	}
	if err != nil {
		r.Fault("%s", err)
	}
	return s
}

// OneOf reads a string that is one of the given ones.
func (r *Reader) OneOf(allowed ...string) string {
	v, ok := r.scalar('"', "a string")
	if !ok {
		return ""
	}
	s := r.text(v)
	for _, a := range allowed {
		if s == a {
			return a
		}
	}
	r.Fault("must be one of %s", strings.Join(allowed, ", "))
	return ""
}

// Integer reads a whole number from least to most.
func (r *Reader) Integer(least, most int64) int64 {
	v, ok := r.scalar('0', "an integer")
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil { // 1990.0 and 1.99e3 are integers too
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			r.Fault("must be an integer from %d to %d", least, most)
			return 0
		}
		n = int64(f)
	}
	if n < least || n > most {
		r.Fault("must be an integer from %d to %d", least, most)
	}
	return n
}

// Number reads a finite number from least to most; above excludes least itself.
func (r *Reader) Number(least, most float64, above bool) float64 {
	v, ok := r.scalar('0', "a number")
	if !ok {
		return 0
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f > most || f < least || (above && f == least) {
		relation := "from"
		if above {
			relation = "above"
		}
		r.Fault("must be a number %s %s to %s", relation, plain(least), plain(most))
		return 0
	}
	return f
}

func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// Time reads a date or date-time in any form of the contract.
func (r *Reader) Time() time.Time {
	v, ok := r.scalar('"', "a string with a date or a date-time")
	if !ok {
		return time.Time{}
	}
	t, err := ParseTime(r.text(v))
	if err != nil {
		r.Fault("%s", err)
	}
	return t
}

// Extra reads the free object, kept as it came.
func (r *Reader) Extra() jsontext.Value {
	if r.broken || !r.kind('{', "an object") {
		return nil
	}
	v, err := r.dec.ReadValue()
	if err != nil {
		r.broke(err)
		return nil
	}
	if len(v) > MaxExtra {
		r.Fault("must be at most %d bytes of JSON, is %d", MaxExtra, len(v))
		return nil
	}
	return v.Clone()
}
