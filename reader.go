package tipoff

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Reading says how a body is read and what clock its times are held against.
type Reading struct {
	// Now is the clock for "this year" and "at most one day ahead": the
	// gateway's for a request, the broker's append time for a record.
	Now time.Time
	// Strict makes a field that the contract does not name a fault, so that a
	// typo cannot vanish. The old routes and the topics are not strict.
	Strict bool
}

// MaxAhead is how far a bet's time may lie ahead of [Reading.Now].
const MaxAhead = 24 * time.Hour

// MaxExtra bounds the free object of any entity, in bytes.
const MaxExtra = 4 << 10

// reader walks one JSON object and gathers every fault in it, so that a client
// learns all that is wrong from one answer. Its methods consume exactly one
// value each, whatever they find.
type reader struct {
	how    Reading
	dec    jsontext.Decoder
	buf    bytes.Buffer
	path   []step
	seen   []string
	faults Faults
	broken bool // not JSON: nothing more can be read
}

// step is one part of the path to the value being read.
type step struct {
	name  string
	index int // -1: name is a field; else an element of the array above
}

var readers = sync.Pool{New: func() any { return new(reader) }}

func newReader(data []byte, how Reading) *reader {
	r := readers.Get().(*reader)
	r.how = how
	r.buf = *bytes.NewBuffer(data)
	r.dec.Reset(&r.buf)
	r.path, r.seen, r.faults, r.broken = r.path[:0], r.seen[:0], nil, false
	return r
}

// finish reports what was wrong, or nil, and gives the reader back.
func (r *reader) finish() error {
	if !r.broken {
		if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
			r.path = r.path[:0]
			r.fault("must be one JSON object with nothing after it")
		}
	}
	faults := r.faults
	r.buf = bytes.Buffer{}
	readers.Put(r)
	if len(faults) == 0 {
		return nil
	}
	return faults
}

func (r *reader) fault(format string, args ...any) {
	var path strings.Builder
	for _, s := range r.path {
		switch {
		case s.index >= 0:
			fmt.Fprintf(&path, "[%d]", s.index)
		case path.Len() > 0:
			path.WriteString("." + s.name)
		default:
			path.WriteString(s.name)
		}
	}
	r.faults = append(r.faults, Fault{Field: path.String(), Message: fmt.Sprintf(format, args...)})
}

// faultAt reports a fault of a field of the object just read.
func (r *reader) faultAt(field, format string, args ...any) {
	r.path = append(r.path, step{field, -1})
	r.fault(format, args...)
	r.path = r.path[:len(r.path)-1]
}

func (r *reader) broke(err error) {
	if r.broken {
		return
	}
	r.broken = true
	r.path = r.path[:0]
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.fault("is not valid JSON: it ends too early")
		return
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		r.fault("is not valid JSON: %v at byte %d", syntax.Err, syntax.ByteOffset)
		return
	}
	r.fault("is not valid JSON: %v", err)
}

// object reads one object, calls field for each member, and faults each required
// field that was not there; field returns false for a name it does not know.
func (r *reader) object(field func(name string) bool, required ...string) {
	if r.broken || !r.kind('{', "an object") {
		return
	}
	r.token()
	begin := len(r.seen)
	for !r.broken && r.dec.PeekKind() != '}' {
		token, err := r.dec.ReadToken()
		if err != nil {
			r.broke(err)
			return
		}
		r.member(token.String(), field)
	}
	if r.broken {
		return
	}
	r.token()
	for _, name := range required {
		if !slices.Contains(r.seen[begin:], name) {
			r.faultAt(name, "is required")
		}
	}
	r.seen = r.seen[:begin]
}

func (r *reader) member(name string, field func(name string) bool) {
	if r.dec.PeekKind() == 'n' { // null says the same as leaving the field out
		r.token()
		return
	}
	r.seen = append(r.seen, name)
	r.path = append(r.path, step{name, -1})
	if !field(name) {
		if r.how.Strict {
			r.fault("is not a field of this entity")
		}
		r.skip()
	}
	r.leave()
}

// leave goes one step up the path, unless broken input has cleared it.
func (r *reader) leave() {
	if !r.broken {
		r.path = r.path[:len(r.path)-1]
	}
}

// list reads an array of least to most elements, calling element for each.
func (r *reader) list(least, most int, element func()) {
	if r.broken || !r.kind('[', "an array") {
		return
	}
	r.token()
	n := 0
	for ; !r.broken && r.dec.PeekKind() != ']'; n++ {
		if n >= most {
			r.skip()
			continue
		}
		r.path = append(r.path, step{index: n})
		element()
		r.leave()
	}
	if r.broken {
		return
	}
	r.token()
	if n < least || n > most {
		r.fault("must have %d to %d elements, has %d", least, most, n)
	}
}

// kind holds the next value against the kind wanted and skips it if it is not.
func (r *reader) kind(want jsontext.Kind, called string) bool {
	got := r.dec.PeekKind()
	if got == want || (want == 't' && got == 'f') {
		return true
	}
	if got <= 0 { // the decoder's word for "no value here": reading it tells why
		_, err := r.dec.ReadToken()
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		r.broke(err)
		return false
	}
	r.fault("must be %s, is %s", called, kindName(got))
	r.skip()
	return false
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return k.String()
}

func (r *reader) token() {
	if _, err := r.dec.ReadToken(); err != nil {
		r.broke(err)
	}
}

func (r *reader) skip() {
	if r.broken {
		return
	}
	if err := r.dec.SkipValue(); err != nil {
		r.broke(err)
	}
}

// scalar reads a string, or a number as it is written; ok is false, and the fault
// noted, where something else stands.
func (r *reader) scalar(kind jsontext.Kind, called string) (s string, ok bool) {
	if r.broken || !r.kind(kind, called) {
		return "", false
	}
	token, err := r.dec.ReadToken()
	if err != nil {
		r.broke(err)
		return "", false
	}
	return token.String(), true
}

// text reads a string of 1 to most characters without control characters.
func (r *reader) text(most int) string {
	s, ok := r.scalar('"', "a string")
	if !ok {
		return ""
	}
	if n := utf8.RuneCountInString(s); n < 1 || n > most {
		r.fault("must have 1 to %d characters, has %d", most, n)
	} else if strings.ContainsFunc(s, unicode.IsControl) {
		r.fault("must not contain control characters")
	}
	return s
}

// id reads a public id.
func (r *reader) id() string {
	s, ok := r.scalar('"', "a string")
	if !ok {
		return ""
	}
	if err := CheckID(s); err != nil {
		r.fault("%s", err)
	}
	return s
}

// oneOf reads a string that is one of the given ones.
func (r *reader) oneOf(allowed ...string) string {
	s, ok := r.scalar('"', "a string")
	if !ok {
		return ""
	}
	for _, a := range allowed {
		if s == a {
			return a
		}
	}
	r.fault("must be one of %s", strings.Join(allowed, ", "))
	return ""
}

// integer reads a whole number from least to most.
func (r *reader) integer(least, most int64) int64 {
	text, ok := r.scalar('0', "an integer")
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil { // 1990.0 and 1.99e3 are integers too
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			r.fault("must be an integer from %d to %d", least, most)
			return 0
		}
		n = int64(f)
	}
	if n < least || n > most {
		r.fault("must be an integer from %d to %d", least, most)
	}
	return n
}

// number reads a finite number from least to most; above excludes least itself.
func (r *reader) number(least, most float64, above bool) float64 {
	text, ok := r.scalar('0', "a number")
	if !ok {
		return 0
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f > most || f < least || (above && f == least) {
		relation := "from"
		if above {
			relation = "above"
		}
		r.fault("must be a number %s %s to %s", relation, plain(least), plain(most))
		return 0
	}
	return f
}

func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// time reads a date or date-time in any form of the contract.
func (r *reader) time() time.Time {
	text, ok := r.scalar('"', "a string with a date or a date-time")
	if !ok {
		return time.Time{}
	}
	t, err := ParseTime(text)
	if err != nil {
		r.fault("%s", err)
	}
	return t
}

// extra reads the free object, kept as it came.
func (r *reader) extra() jsontext.Value {
	if r.broken || !r.kind('{', "an object") {
		return nil
	}
	v, err := r.dec.ReadValue()
	if err != nil {
		r.broke(err)
		return nil
	}
	if len(v) > MaxExtra {
		r.fault("must be at most %d bytes of JSON, is %d", MaxExtra, len(v))
		return nil
	}
	return v.Clone()
}

// CheckID holds a public id that did not come in a body against its bounds; the
// error says which one it breaks.
func CheckID(id string) error {
	switch n := utf8.RuneCountInString(id); {
	case n < 1 || n > MaxID:
		return fmt.Errorf("must have 1 to %d characters, has %d", MaxID, n)
	case !utf8.ValidString(id):
		return errors.New("must be text in UTF-8")
	case strings.ContainsFunc(id, unicode.IsControl):
		return errors.New("must not contain control characters")
	case id != strings.TrimSpace(id):
		return errors.New("must not begin or end with white space")
	}
	return nil
}
