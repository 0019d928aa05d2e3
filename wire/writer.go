package wire

import (
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"time"
)

// Writer is a value that is being written. Its zero value is empty.
type Writer []byte

// scratches are writers whose values have been copied.
var scratches = sync.Pool{New: func() any { return new(Writer) }}

// Write returns what was written, in as many bytes as it takes: values are kept, and most
// grow several times while they are written.
func Write(write func(w *Writer)) []byte {
	w := scratches.Get().(*Writer)
	*w = (*w)[:0]
	write(w)
	value := slices.Clone([]byte(*w))
	scratches.Put(w)
	return value
}

// Sum returns a sum of what was written, which is not kept.
func Sum(write func(w *Writer), sum func(value []byte) uint64) uint64 {
	w := scratches.Get().(*Writer)
	*w = (*w)[:0]
	write(w)
	of := sum(*w)
	scratches.Put(w)
	return of
}

// Byte writes one byte.
func (w *Writer) Byte(b byte) { *w = append(*w, b) }

// Uint writes a varint, 1 to 10 bytes.
func (w *Writer) Uint(v uint64) { *w = binary.AppendUvarint(*w, v) }

// Int writes a zigzag varint, 1 to 10 bytes.
func (w *Writer) Int(v int64) { *w = binary.AppendVarint(*w, v) }

// Word16 writes 2 bytes.
func (w *Writer) Word16(v uint16) { *w = binary.LittleEndian.AppendUint16(*w, v) }

// Word32 writes 4 bytes.
func (w *Writer) Word32(v uint32) { *w = binary.LittleEndian.AppendUint32(*w, v) }

// Word64 writes 8 bytes.
func (w *Writer) Word64(v uint64) { *w = binary.LittleEndian.AppendUint64(*w, v) }

// Ref writes the lower 48 bits of v, such as an event reference.
func (w *Writer) Ref(v uint64) {
	w.Word32(uint32(v))
	w.Byte(byte(v >> 32))
	w.Byte(byte(v >> 40))
}

// Float writes the 8 bytes of a double.
func (w *Writer) Float(v float64) { w.Word64(math.Float64bits(v)) }

// BFloat16 writes the upper 2 bytes of v, rounded: the sign, the exponent and 7 more
// bits, which are two or three decimal digits.
func (w *Writer) BFloat16(v float32) {
	bits := math.Float32bits(v)
	w.Word16(uint16((bits + 0x7fff + bits>>16&1) >> 16))
}

// Text writes a string with its length before it.
func (w *Writer) Text(s string) { w.Uint(uint64(len(s))); *w = append(*w, s...) }

// Raw writes bytes with their length before them.
func (w *Writer) Raw(b []byte) { w.Uint(uint64(len(b))); *w = append(*w, b...) }

// Flag writes a byte, 1 or 0.
func (w *Writer) Flag(set bool) {
	if set {
		w.Byte(1)
	} else {
		w.Byte(0)
	}
}

// Time writes whether a time is set, and if so its microseconds since 1970.
func (w *Writer) Time(t time.Time) {
	w.Flag(!t.IsZero())
	if !t.IsZero() {
		w.Int(t.UnixMicro())
	}
}
