package http

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tipoff"
)

// parameters reads a query string and gathers every fault in it.
type parameters struct {
	given  []parameter
	faults tipoff.Faults
}

// parameter is one name and value of a query, in the order in which they stand there.
type parameter struct {
	name, value string
	asked       bool
}

// parameters are those of the request, until it is answered.
func (q *request) parameters() *parameters {
	p := &q.query
	p.given, p.faults = p.given[:0], nil
	raw := q.URI().QueryString()
	if !escaped(raw) {
		p.fault("", "the query %s", errEscape)
	}
	for part := range strings.SplitSeq(string(raw), "&") {
		if part != "" && part != "=" {
			name, value, _ := strings.Cut(part, "=")
			p.given = append(p.given, parameter{name: unescape(name), value: unescape(value)})
		}
	}
	return p
}

// unescape decodes a part of a query; one that is malformed stays as it is.
func unescape(part string) string {
	if !strings.ContainsAny(part, "%+") {
		return part
	}
	if plain, err := url.QueryUnescape(part); err == nil {
		return plain
	}
	return part
}

// escaped says whether each % of a query has its two hexadecimal digits.
func escaped(query []byte) bool {
	for {
		at := bytes.IndexByte(query, '%')
		if at < 0 {
			return true
		}
		if query = query[at+1:]; len(query) < 2 || !hexadecimal(query[0]) || !hexadecimal(query[1]) {
			return false
		}
	}
}

func hexadecimal(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// The forms of numbers and durations: Go's own readers take more, as 0x1p-2 and 1us.
var (
	integerForm  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	numberForm   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	durationForm = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$`)
)

// maxDuration is how long the text of a duration may be, in bytes.
const maxDuration = 20

func (p *parameters) fault(name, form string, args ...any) {
	p.faults.Add(func() (string, string) { return tipoff.Shown(name), fmt.Sprintf(form, args...) })
}

// get is the parameter's value; given is false where it is absent or empty.
func (p *parameters) get(name string) (value string, given bool) {
	times := 0
	for i := range p.given {
		if g := &p.given[i]; g.name == name {
			if times++; times == 1 {
				value = g.value
			}
			g.asked = true
		}
	}
	if times > 1 {
		p.fault(name, "must be given once")
	}
	return value, value != ""
}

// id reads a public id, which must be there.
func (p *parameters) id(name string) string {
	value, given := p.get(name)
	if !given {
		p.fault(name, "is required")
	} else if err := tipoff.CheckID(value); err != nil {
		p.fault(name, "%s", err)
	}
	return value
}

func (p *parameters) text(name string, most int) string {
	value, _ := p.get(name)
	if utf8.RuneCountInString(value) > most {
		p.fault(name, "must have at most %d characters", most)
	} else if !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
		p.fault(name, "must be text in UTF-8 without control characters")
	}
	return value
}

func (p *parameters) integer(name string, least, most, otherwise int) int {
	value, given := p.get(name)
	if !given {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || !integerForm.MatchString(value) || n < least || n > most {
		p.fault(name, "must be an integer from %d to %d", least, most)
		return otherwise
	}
	return n
}

func (p *parameters) number(name string, least, most, otherwise float64) float64 {
	value, given := p.get(name)
	if !given {
		return otherwise
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || !numberForm.MatchString(value) || f < least || f > most {
		p.fault(name, "must be a number from %g to %g", least, most)
		return otherwise
	}
	return f
}

// maxWithin bounds how far ahead a query may look.
const maxWithin = 366 * 24 * time.Hour

func (p *parameters) duration(name string) time.Duration {
	value, given := p.get(name)
	if !given {
		return 0
	}
	d, err := time.ParseDuration(value)
	if err != nil || len(value) > maxDuration || !durationForm.MatchString(value) || d <= 0 || d > maxWithin {
		p.fault(name, "must be a duration above 0 to 8784h, as 48h or 90m")
		return 0
	}
	return d
}

func (p *parameters) time(name string) time.Time {
	value, given := p.get(name)
	if !given {
		return time.Time{}
	}
	t, err := tipoff.ParseTime(value)
	if err != nil {
		p.fault(name, "%s", err)
	}
	return t
}

func (p *parameters) oneOf(name, otherwise string, allowed ...string) string {
	value, given := p.get(name)
	if !given {
		return otherwise
	}
	if !slices.Contains(allowed, value) {
		p.fault(name, "must be one of %s", strings.Join(allowed, ", "))
		return otherwise
	}
	return value
}

// ids reads a list of public ids, with commas or the parameter given again.
func (p *parameters) ids(name string, most int) []string {
	var ids []string
	for i := range p.given {
		g := &p.given[i]
		if g.name != name {
			continue
		}
		g.asked = true
		for id := range strings.SplitSeq(g.value, ",") {
			if id == "" {
				continue
			}
			ids = append(ids, id)
			if err := tipoff.CheckID(id); err != nil {
				p.fault(name, "number %d %s", len(ids), err)
			}
		}
	}
	if len(ids) > most {
		p.fault(name, "must name at most %d ids, names %d", most, len(ids))
	}
	return ids
}

// end faults the parameters that nobody asked for, as a typo must not vanish.
func (p *parameters) end() error {
	var unknown []string
	for i := range p.given {
		if !p.given[i].asked {
			unknown = append(unknown, p.given[i].name)
		}
	}
	slices.Sort(unknown)
	for _, name := range slices.Compact(unknown) {
		p.fault(name, "is not a parameter of this route")
	}
	if len(p.faults) == 0 {
		return nil
	}
	last := &p.faults[len(p.faults)-1]
	more := last.More
	last.More = 0
	slices.SortStableFunc(p.faults, func(a, b tipoff.Fault) int { return strings.Compare(a.Field, b.Field) })
	p.faults[len(p.faults)-1].More = more
	return p.faults
}
