package wire_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tipoff/wire"
)

func TestReader_ReadsWhatWasWritten(t *testing.T) {
	var w wire.Writer
	noon := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	w.Byte(1)
	w.Uint(1 << 63)
	w.Int(-5)
	w.Word16(1 << 15)
	w.Word32(1 << 31)
	w.Word64(1 << 63)
	w.Ref(1<<48 - 1)
	w.Float(0.1)
	w.BFloat16(0.5)
	w.Text("text")
	w.Raw([]byte{7})
	w.Flag(true)
	w.Time(noon)
	w.Time(time.Time{})
	w.Uint(1)
	w.Byte(9)
	read := func(r *wire.Reader) []any {
		return []any{r.Byte(), r.Uint(), r.Int(), r.Word16(), r.Word32(), r.Word64(), r.Ref(), r.Float(), r.BFloat16(),
			r.Text(), r.Raw(), r.Flag(), r.Time(), r.Time(), r.Count(1), r.Byte()}
	}
	want := []any{byte(1), uint64(1 << 63), int64(-5), uint16(1 << 15), uint32(1 << 31), uint64(1 << 63), uint64(1<<48 - 1), 0.1, float32(0.5),
		"text", []byte{7}, true, noon, time.Time{}, 1, byte(9)}
	r := wire.NewReader(w)
	if diff := cmp.Diff(want, read(r)); diff != "" || r.End() != nil {
		t.Errorf("%v %s", r.End(), diff)
	}
	for cut := range w {
		r := wire.NewReader(w[:cut])
		if read(r); r.OK() || r.End() == nil {
			t.Errorf("of %d bytes the first %d were read as a whole value", len(w), cut)
		}
	}
	r = wire.NewReader(append(w, 0))
	if read(r); r.End() == nil {
		t.Error("a byte was left over")
	}
}

func TestReader_RefusesALengthBeyondTheValue(t *testing.T) {
	var w wire.Writer
	w.Uint(4)
	w = append(w, 1, 2, 3, 4, 5, 6, 7)
	if n := wire.NewReader(w).Count(2); n != 0 {
		t.Errorf("%d elements of 2 bytes in 7 bytes", n)
	}
	if n := wire.NewReader(w).Count(1); n != 4 {
		t.Errorf("%d elements, want 4", n)
	}
}

func FuzzBFloat16(f *testing.F) {
	f.Add(float32(1.5))
	f.Fuzz(func(t *testing.T, v float32) {
		if v != v || v > 1e38 || v < -1e38 {
			t.Skip("a model holds no such number")
		}
		again := func(v float32) float32 {
			var w wire.Writer
			w.BFloat16(v)
			r := wire.NewReader(w)
			defer func() {
				if err := r.End(); err != nil {
					t.Error(err)
				}
			}()
			return r.BFloat16()
		}
		got := again(v)
		if d := got - v; d > 0.004*max(v, -v)+1e-40 || d < -0.004*max(v, -v)-1e-40 || again(got) != got {
			t.Errorf("%v became %v", v, got)
		}
	})
}
