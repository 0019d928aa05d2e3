package score

import (
	"encoding/binary"
	"errors"
	"math"
)

// Table values and the messages between processors are compact binary: varints,
// little-endian words, and strings with their length before them. The first byte
// of each is its version.

// ErrUnreadable is what a value that cannot be read is: cut short, of an unknown
// version, or not ours.
var ErrUnreadable = errors.New("not a value of a known version")

type Writer []byte

func (w *Writer) Byte(b byte)     { *w = append(*w, b) }
func (w *Writer) Uint(v uint64)   { *w = binary.AppendUvarint(*w, v) }
func (w *Writer) Int(v int64)     { *w = binary.AppendVarint(*w, v) }
func (w *Writer) Word16(v uint16) { *w = binary.LittleEndian.AppendUint16(*w, v) }
func (w *Writer) Word32(v uint32) { *w = binary.LittleEndian.AppendUint32(*w, v) }
func (w *Writer) Word64(v uint64) { *w = binary.LittleEndian.AppendUint64(*w, v) }
func (w *Writer) Float(v float64) { w.Word64(math.Float64bits(v)) }
func (w *Writer) Text(s string)   { w.Uint(uint64(len(s))); *w = append(*w, s...) }
func (w *Writer) Raw(b []byte)    { w.Uint(uint64(len(b))); *w = append(*w, b...) }

func (w *Writer) Flag(set bool) {
	if set {
		w.Byte(1)
	} else {
		w.Byte(0)
	}
}

// Ref writes 48 bits, as those of an event reference.
func (w *Writer) Ref(event uint64) {
	w.Word32(uint32(event))
	w.Byte(byte(event >> 32))
	w.Byte(byte(event >> 40))
}

// Reader reads what a [Writer] wrote. After a fault every read gives zero, and bad
// stays set.
type Reader struct {
	b   []byte
	bad bool
}

func (u *Reader) take(n int) []byte {
	if n < 0 || n > len(u.b) {
		u.bad, u.b = true, nil
		return nil
	}
	taken := u.b[:n]
	u.b = u.b[n:]
	return taken
}

func (u *Reader) Byte() byte {
	if b := u.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (u *Reader) Uint() uint64 {
	v, n := binary.Uvarint(u.b)
	if n <= 0 {
		u.bad, u.b = true, nil
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *Reader) Int() int64 {
	v, n := binary.Varint(u.b)
	if n <= 0 {
		u.bad, u.b = true, nil
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *Reader) Word16() uint16 {
	if b := u.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (u *Reader) Word32() uint32 {
	if b := u.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (u *Reader) Word64() uint64 {
	if b := u.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (u *Reader) Float() float64 { return math.Float64frombits(u.Word64()) }
func (u *Reader) Flag() bool     { return u.Byte() != 0 }
func (u *Reader) Text() string   { return string(u.Raw()) }

func (u *Reader) Raw() []byte {
	n := u.Uint()
	if n > uint64(len(u.b)) {
		u.bad, u.b = true, nil
		return nil
	}
	return u.take(int(n))
}

func (u *Reader) Ref() uint64 {
	low := uint64(u.Word32())
	if b := u.take(2); b != nil {
		return low | uint64(b[0])<<32 | uint64(b[1])<<40
	}
	return 0
}

// Count reads a length whose elements take at least size bytes each, so that a
// hostile length cannot ask for more memory than the value has bytes.
func (u *Reader) Count(size int) int {
	n := u.Uint()
	if n > uint64(len(u.b)/size) {
		u.bad, u.b = true, nil
		return 0
	}
	return int(n)
}

// End is nil when everything was read and nothing was left over.
func (u *Reader) End() error {
	if u.bad || len(u.b) > 0 {
		return ErrUnreadable
	}
	return nil
}
