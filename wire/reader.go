package wire

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// ErrUnreadable says that a value was cut short, is of an unknown version, or is
// something else.
var ErrUnreadable = errors.New("not a value of a known version")

// Reader reads what a [Writer] wrote, in the same order. After a fault every read
// returns zero, and [Reader.End] the error.
type Reader struct {
	b   []byte
	bad bool
}

// NewReader returns a reader of a value. It keeps value, and so do the slices that
// [Reader.Raw] returns.
func NewReader(value []byte) *Reader { return &Reader{b: value} }

// fault makes this read and all that follow return zero.
func (r *Reader) fault() { r.bad, r.b = true, nil }

func (r *Reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fault()
		return nil
	}
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

// Byte reads what [Writer.Byte] wrote, and so do the methods below.
func (r *Reader) Byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fault()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fault()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *Reader) Word16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *Reader) Word32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *Reader) Word64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *Reader) Ref() uint64 {
	if b := r.take(6); b != nil {
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint16(b[4:]))<<32
	}
	return 0
}

func (r *Reader) Float() float64 { return math.Float64frombits(r.Word64()) }
func (r *Reader) Flag() bool     { return r.Byte() != 0 }
func (r *Reader) Text() string   { return string(r.Raw()) }

// BFloat16 refuses an infinity and what is not a number.
func (r *Reader) BFloat16() float32 {
	v := math.Float32frombits(uint32(r.Word16()) << 16)
	r.Require(v-v == 0)
	return v
}

// Raw returns a part of the value itself, not a copy.
func (r *Reader) Raw() []byte {
	n := r.Uint()
	if n > uint64(len(r.b)) {
		r.fault()
		return nil
	}
	return r.take(int(n))
}

// Time returns a time in UTC; the zero time where none was set.
func (r *Reader) Time() time.Time {
	if !r.Flag() {
		return time.Time{}
	}
	return time.UnixMicro(r.Int()).UTC()
}

// Count reads a length whose elements take at least size bytes each, so that a
// hostile length cannot ask for more memory than the value has bytes.
func (r *Reader) Count(size int) int {
	n := r.Uint()
	if n > uint64(len(r.b)/size) {
		r.fault()
		return 0
	}
	return int(n)
}

// Require marks the value as unreadable unless ok: what was read means nothing.
func (r *Reader) Require(ok bool) { r.bad = r.bad || !ok }

// OK says whether there was no fault so far.
func (r *Reader) OK() bool { return !r.bad }

// End returns nil when everything was read and nothing is left over, else
// [ErrUnreadable].
func (r *Reader) End() error {
	if r.bad || len(r.b) > 0 {
		return ErrUnreadable
	}
	return nil
}
