package score

import (
	"encoding/binary"
	"errors"
	"math"
)

// Table values and the messages between processors are compact binary: varints,
// little-endian words, and strings with their length before them. The first byte
// of each is its version.

// errWire is what a value that cannot be read is: cut short, of an unknown
// version, or not ours.
var errWire = errors.New("not a value of a known version")

type wire []byte

func (w *wire) byte(b byte)     { *w = append(*w, b) }
func (w *wire) uint(v uint64)   { *w = binary.AppendUvarint(*w, v) }
func (w *wire) int(v int64)     { *w = binary.AppendVarint(*w, v) }
func (w *wire) word16(v uint16) { *w = binary.LittleEndian.AppendUint16(*w, v) }
func (w *wire) word32(v uint32) { *w = binary.LittleEndian.AppendUint32(*w, v) }
func (w *wire) word64(v uint64) { *w = binary.LittleEndian.AppendUint64(*w, v) }
func (w *wire) float(v float64) { w.word64(math.Float64bits(v)) }
func (w *wire) text(s string)   { w.uint(uint64(len(s))); *w = append(*w, s...) }
func (w *wire) raw(b []byte)    { w.uint(uint64(len(b))); *w = append(*w, b...) }

func (w *wire) flag(set bool) {
	if set {
		w.byte(1)
	} else {
		w.byte(0)
	}
}

// ref writes 48 bits, as those of an event reference.
func (w *wire) ref(event uint64) {
	w.word32(uint32(event))
	w.byte(byte(event >> 32))
	w.byte(byte(event >> 40))
}

// unwire reads what wire wrote. After a fault every read gives zero, and bad
// stays set.
type unwire struct {
	b   []byte
	bad bool
}

func (u *unwire) take(n int) []byte {
	if n < 0 || n > len(u.b) {
		u.bad, u.b = true, nil
		return nil
	}
	taken := u.b[:n]
	u.b = u.b[n:]
	return taken
}

func (u *unwire) byte() byte {
	if b := u.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (u *unwire) uint() uint64 {
	v, n := binary.Uvarint(u.b)
	if n <= 0 {
		u.bad, u.b = true, nil
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *unwire) int() int64 {
	v, n := binary.Varint(u.b)
	if n <= 0 {
		u.bad, u.b = true, nil
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *unwire) word16() uint16 {
	if b := u.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (u *unwire) word32() uint32 {
	if b := u.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (u *unwire) word64() uint64 {
	if b := u.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (u *unwire) float() float64 { return math.Float64frombits(u.word64()) }
func (u *unwire) flag() bool     { return u.byte() != 0 }
func (u *unwire) text() string   { return string(u.raw()) }

func (u *unwire) raw() []byte {
	n := u.uint()
	if n > uint64(len(u.b)) {
		u.bad, u.b = true, nil
		return nil
	}
	return u.take(int(n))
}

func (u *unwire) ref() uint64 {
	low := uint64(u.word32())
	if b := u.take(2); b != nil {
		return low | uint64(b[0])<<32 | uint64(b[1])<<40
	}
	return 0
}

// count reads a length whose elements take at least size bytes each, so that a
// hostile length cannot ask for more memory than the value has bytes.
func (u *unwire) count(size int) int {
	n := u.uint()
	if n > uint64(len(u.b)/size) {
		u.bad, u.b = true, nil
		return 0
	}
	return int(n)
}

// end is nil when everything was read and nothing was left over.
func (u *unwire) end() error {
	if u.bad || len(u.b) > 0 {
		return errWire
	}
	return nil
}
