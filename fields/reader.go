package fields

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Reader walks one JSON object and gathers every fault in it. Its methods consume
// exactly one value each, whatever they find.
type Reader struct {
	strict bool
	dec    jsontext.Decoder
	buf    bytes.Buffer
	data   []byte // what is read
	copied string // the same, once a text of it was asked for: all of them are parts of it
	path   []step
	seen   []string // names of fields that the caller knows, of the objects being read
	faults Faults
	broken bool              // not JSON: nothing more can be read
	names  map[string]string // of fields, by what stood in the body; see [Reader.name]
}

// step is one part of the path to the value being read.
type step struct {
	name  string
	index int // -1: name is a field; else an element of the array above
}

var readers = sync.Pool{New: func() any { return &Reader{names: map[string]string{}} }}

// NewReader returns a reader of data. strict makes a field that the caller does not
// know a fault.
func NewReader(data []byte, strict bool) *Reader {
	r := readers.Get().(*Reader)
	r.strict = strict
	r.data, r.buf = data, *bytes.NewBuffer(data)
	r.dec.Reset(&r.buf)
	r.path, r.seen, r.faults, r.broken = r.path[:0], r.seen[:0], nil, false
	return r
}

// End returns what was wrong as [Faults], or nil. The reader may not be used after it:
// it is kept for another body.
func (r *Reader) End() error {
	if !r.broken {
		if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
			r.path = r.path[:0]
			r.Fault("must be one JSON object with nothing after it")
		}
	}
	faults := r.faults
	r.data, r.copied, r.buf = nil, "", bytes.Buffer{}
	readers.Put(r)
	if len(faults) == 0 {
		return nil
	}
	return faults
}

// Faults returns how many faults there are so far.
func (r *Reader) Faults() int { return r.faults.Count() }

// Broken says that the body is not JSON, so that nothing more is read of it.
func (r *Reader) Broken() bool { return r.broken }

// Fault adds a fault of the value just read.
func (r *Reader) Fault(format string, args ...any) {
	r.faults.Add(func() (string, string) { return r.where(), fmt.Sprintf(format, args...) })
}

// where is the path of the value just read.
func (r *Reader) where() string {
	var path strings.Builder
	for _, s := range r.path {
		switch {
		case s.index >= 0:
			fmt.Fprintf(&path, "[%d]", s.index)
		case path.Len() > 0:
			path.WriteString("." + Shown(s.name))
		default:
			path.WriteString(Shown(s.name))
		}
	}
	return path.String()
}

// Shown is the name of a field as it is told to whoever posted it: a long one, which
// is none of ours, is cut after [MaxID] characters.
func Shown(name string) string {
	characters := 0
	for at := range name {
		if characters == MaxID {
			return name[:at] + "..."
		}
		characters++
	}
	return name
}

// FaultAt adds a fault of a field of the object just read.
func (r *Reader) FaultAt(field, format string, args ...any) {
	r.path = append(r.path, step{field, -1})
	r.Fault(format, args...)
	r.path = r.path[:len(r.path)-1]
}

// broke notes that the body is not JSON: that is the last fault.
func (r *Reader) broke(err error) {
	if r.broken {
		return
	}
	r.broken = true
	r.path = r.path[:0]
	r.Fault("%s", NotJSON(err))
}

// Object reads one object, calls field for each member, and faults each required
// field that was not there; field returns false for a name it does not know.
func (r *Reader) Object(field func(name string) bool, required ...string) {
	if r.broken || !r.kind('{', "an object") {
		return
	}
	r.token()
	begin := len(r.seen)
	for !r.broken && r.dec.PeekKind() != '}' {
		name, err := r.dec.ReadValue()
		if err != nil {
			r.broke(err)
			return
		}
		r.member(r.name(name), field)
	}
	if r.broken {
		return
	}
	r.token()
	for _, name := range required {
		if !slices.Contains(r.seen[begin:], name) {
			r.FaultAt(name, "is required")
		}
	}
	r.seen = r.seen[:begin]
}

// maxNames is how many names a reader knows, and how long they are at most.
const maxNames, longestName = 64, 32

// name is the name of a field. Entities have few, so a reader keeps those that it has seen.
func (r *Reader) name(quoted jsontext.Value) string {
	if known, ok := r.names[string(quoted)]; ok {
		return known
	}
	name := strings.Clone(r.text(quoted)) // which outlives the body
	if len(r.names) < maxNames && len(quoted) <= longestName {
		r.names[string(quoted)] = name
	}
	return name
}

// text is the string just read, without its quotes.
func (r *Reader) text(quoted jsontext.Value) string {
	if plain := quoted[1 : len(quoted)-1]; bytes.IndexByte(plain, '\\') < 0 {
		if r.copied == "" {
			r.copied = string(r.data)
		}
		end := int(r.dec.InputOffset()) - 1
		return r.copied[end-len(plain) : end]
	}
	unquoted, _ := jsontext.AppendUnquote(nil, quoted) // it was read, so it is valid
	return string(unquoted)
}

func (r *Reader) member(name string, field func(name string) bool) {
	if r.dec.PeekKind() == 'n' { // null says the same as leaving the field out
		r.token()
		return
	}
	r.path = append(r.path, step{name, -1})
	switch {
	case field(name):
		r.seen = append(r.seen, name)
	case r.strict:
		r.Fault("is not a field of this entity")
		r.Skip()
	default:
		r.Skip()
	}
	r.leave()
}

// leave goes one step up the path, unless broken input has cleared it.
func (r *Reader) leave() {
	if !r.broken {
		r.path = r.path[:len(r.path)-1]
	}
}

// List reads an array of least to most elements, calling element for each.
func (r *Reader) List(least, most int, element func()) {
	if r.broken || !r.kind('[', "an array") {
		return
	}
	r.token()
	n := 0
	for ; !r.broken && r.dec.PeekKind() != ']'; n++ {
		if n >= most {
			r.Skip()
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
		r.Fault("must have %d to %d elements, has %d", least, most, n)
	}
}

// kind compares the next value with the kind wanted and skips it if it is another.
func (r *Reader) kind(want jsontext.Kind, called string) bool {
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
	r.Fault("must be %s, is %s", called, kindName(got))
	r.Skip()
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

func (r *Reader) token() {
	if _, err := r.dec.ReadToken(); err != nil {
		r.broke(err)
	}
}

// Skip leaves a value out, whatever it is.
func (r *Reader) Skip() {
	if r.broken {
		return
	}
	if err := r.dec.SkipValue(); err != nil {
		r.broke(err)
	}
}
