package score

import "math"

const modelVersion = 2

// Marshal encodes the model for a table.
func (m *Model) Marshal() []byte {
	w := make(Writer, 0, 64<<10)
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
	w.tastes(&m.tastes)
	return w
}

// UnmarshalModel decodes a model. One of other terms than today's cannot be read: a
// new one is to be learnt.
func UnmarshalModel(value []byte) (*Model, error) {
	u := &Reader{b: value}
	if u.Byte() != modelVersion || u.Uint() != Terms || u.Uint() != Contexts || u.Uint() != netHidden || u.Word32() != termsKey {
		return nil, ErrUnreadable
	}
	m := &Model{Steps: u.Uint()}
	for e := range m.Quality {
		m.Quality[e] = Quality{Sum: u.Float(), Weight: u.Float(), Squares: u.Float()}
		u.bad = u.bad || m.Quality[e].Sum-m.Quality[e].Sum != 0 || m.Quality[e].Weight-m.Quality[e].Weight != 0 ||
			!(m.Quality[e].Squares >= 0 && m.Quality[e].Squares < math.Inf(1))
	}
	m.eachNumber(func(v, square *float32) {
		*v, *square = math.Float32frombits(u.Word32()), math.Float32frombits(u.Word32())
		u.bad = u.bad || *v-*v != 0 || *square-*square != 0 || *square < 0 // infinite, not a number, no square
	})
	u.tastes(&m.tastes)
	return m, u.End()
}

// termsKey tells one set of terms from another of the same size.
var termsKey = Name(TermNames[:]...)

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

// tastes writes the vectors in 16 bits a number; see [brief].
func (w *Writer) tastes(t *tastes) {
	for _, v := range t.everyone {
		w.Word16(brief(v))
	}
	w.Word16(brief(t.everyoneSquares))
	for _, table := range t.tables() {
		w.Uint(uint64(len(table.rows)))
		for i := range table.rows {
			w.Word16(brief(table.squares[i]))
			if table.squares[i] == 0 { // as it began
				continue
			}
			for _, v := range table.rows[i] {
				w.Word16(brief(v))
			}
		}
	}
	w.Uint(uint64(len(t.biases.values)))
	for i, v := range t.biases.values {
		w.Word16(brief(t.biases.squares[i]))
		w.Word16(brief(v))
	}
}

func (u *Reader) tastes(t *tastes) {
	*t = newTastes()
	for i := range t.everyone {
		t.everyone[i] = u.brief()
	}
	t.everyoneSquares = u.square()
	for _, table := range t.tables() {
		table.resize(u.rows())
		for i := range table.rows {
			if table.squares[i] = u.square(); table.squares[i] == 0 {
				continue
			}
			for k := range table.rows[i] {
				table.rows[i][k] = u.brief()
			}
		}
	}
	t.biases.resize(u.rows())
	for i := range t.biases.values {
		t.biases.squares[i], t.biases.values[i] = u.square(), u.brief()
	}
}

// rows reads the number of a table's rows: a power of two within the bounds, and no
// more than the value has bytes for.
func (u *Reader) rows() int {
	n := u.Count(2)
	if n < leastRows || n > outRows || n&(n-1) != 0 {
		u.bad = true
		return leastRows
	}
	return n
}

func (u *Reader) brief() float32 {
	v := unbrief(u.Word16())
	u.bad = u.bad || v-v != 0 // infinite, or not a number
	return v
}

// square reads a sum of squares: a negative one would make a root of it no number.
func (u *Reader) square() float32 {
	v := u.brief()
	u.bad = u.bad || v < 0
	return v
}
