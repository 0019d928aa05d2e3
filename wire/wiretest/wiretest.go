// Package wiretest holds what tests require of anything that is read from bytes. The
// fuzz tests of state and rank call it.
package wiretest

import (
	"bytes"
	"runtime"
	"testing"
)

// bounded requires that reading a value asks for no more memory than its length
// allows for, whatever lengths it names itself.
func bounded(t *testing.T, value []byte, read func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	read()
	runtime.ReadMemStats(&after)
	if asked, most := after.TotalAlloc-before.TotalAlloc, uint64(256<<10+300*len(value)); asked > most {
		t.Errorf("a value of %d bytes asked for %d bytes of memory, more than %d", len(value), asked, most)
	}
}

// Stable requires that a value, if it can be read, is written so that it is read again
// as the same, and that reading it asks for no more memory than its length allows for.
func Stable[T any](t *testing.T, value []byte, read func([]byte) (T, error), write func(T) []byte) {
	t.Helper()
	var first T
	var err error
	bounded(t, value, func() { first, err = read(value) })
	if err != nil {
		return
	}
	written := write(first)
	second, err := read(written)
	if err != nil {
		t.Fatalf("%x, written again as %x, is not read: %v", value, written, err)
	}
	if again := write(second); !bytes.Equal(again, written) {
		t.Errorf("%x is written as %x, and then as %x", value, written, again)
	}
}
