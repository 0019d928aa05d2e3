package rank

import (
	"math"

	"tipoff/state"
	"tipoff/wire"
)

const modelVersion = 2

// Marshal encodes the model for a table.
func (m *Model) Marshal() []byte {
	w := make(wire.Writer, 0, 64<<10)
	w.Byte(modelVersion)
	w.Uint(Terms)
	w.Uint(Contexts)
	w.Uint(netHidden)
	w.Word32(termsKey)
	w.Uint(m.Steps)
	for e := range m.Quality {
		w.Float(m.Quality[e].Sum)
		w.Float(m.Quality[e].Weight)
		w.Float(m.Quality[e].Squares)
	}
	m.eachNumber(func(v, square *float32) {
		w.Word32(math.Float32bits(*v))
		w.Word32(math.Float32bits(*square))
	})
	writeTastes(&w, &m.tastes)
	return w
}

// UnmarshalModel decodes a model. One of other terms than today's cannot be read: a
// new one is to be learnt.
func UnmarshalModel(value []byte) (*Model, error) {
	r := wire.NewReader(value)
	if r.Byte() != modelVersion || r.Uint() != Terms || r.Uint() != Contexts || r.Uint() != netHidden || r.Word32() != termsKey {
		return nil, wire.ErrUnreadable
	}
	m := &Model{Steps: r.Uint()}
	for e := range m.Quality {
		m.Quality[e] = Quality{Sum: r.Float(), Weight: r.Float(), Squares: r.Float()}
		q := &m.Quality[e]
		r.Require(q.Sum-q.Sum == 0 && q.Weight-q.Weight == 0 && q.Squares >= 0 && q.Squares < math.Inf(1))
	}
	m.eachNumber(func(v, square *float32) {
		*v, *square = math.Float32frombits(r.Word32()), math.Float32frombits(r.Word32())
		r.Require(*v-*v == 0 && *square-*square == 0 && *square >= 0) // finite, and a square
	})
	readTastes(r, &m.tastes)
	return m, r.End()
}

// termsKey tells one set of terms from another of the same size.
var termsKey = state.Name(TermNames[:]...)

// eachNumber visits all weights of the model with their sums of squares, always in the
// same order.
func (m *Model) eachNumber(visit func(v, square *float32)) {
	for t := range m.Weights {
		for c := range m.Weights[t] {
			visit(&m.Weights[t][c], &m.squares[t][c])
		}
	}
	for h := range m.net.in {
		visit(&m.net.out[h], &m.net.outSquares[h])
		m.net.in[h].each(&m.net.inSquares[h], &netRow{}, func(w, squares, _ *float32) {
			visit(w, squares)
		})
	}
}

// writeTastes writes the vectors, in 16 bits a number.
func writeTastes(w *wire.Writer, t *tastes) {
	for _, v := range t.everyone {
		w.BFloat16(v)
	}
	w.BFloat16(t.everyoneSquares)
	for _, table := range t.tables() {
		w.Uint(uint64(len(table.rows)))
		for i := range table.rows {
			w.BFloat16(table.squares[i])
			if table.squares[i] == 0 { // as it began
				continue
			}
			for _, v := range table.rows[i] {
				w.BFloat16(v)
			}
		}
	}
	w.Uint(uint64(len(t.biases.values)))
	for i, v := range t.biases.values {
		w.BFloat16(t.biases.squares[i])
		w.BFloat16(v)
	}
}

func readTastes(r *wire.Reader, t *tastes) {
	*t = newTastes()
	for i := range t.everyone {
		t.everyone[i] = r.BFloat16()
	}
	t.everyoneSquares = readSquare(r)
	for _, table := range t.tables() {
		table.resize(readRows(r))
		for i := range table.rows {
			if table.squares[i] = readSquare(r); table.squares[i] == 0 {
				continue
			}
			for k := range table.rows[i] {
				table.rows[i][k] = r.BFloat16()
			}
		}
	}
	t.biases.resize(readRows(r))
	for i := range t.biases.values {
		t.biases.squares[i], t.biases.values[i] = readSquare(r), r.BFloat16()
	}
}

// readRows reads the number of a table's rows: a power of two within the bounds, and no
// more than the value has bytes for.
func readRows(r *wire.Reader) int {
	n := r.Count(2)
	if n < leastRows || n > outRows || n&(n-1) != 0 {
		r.Require(false)
		return leastRows
	}
	return n
}

// readSquare reads a sum of squares: a negative one would make a root of it no number.
func readSquare(r *wire.Reader) float32 {
	v := r.BFloat16()
	r.Require(!(v < 0))
	return v
}
