package score

import "math"

const modelVersion = 1

// Marshal encodes the model for a table.
func (m *Model) Marshal() []byte {
	w := make(wire, 0, 32<<10)
	w.byte(modelVersion)
	w.uint(Terms)
	w.uint(Contexts)
	w.uint(netHidden)
	w.word32(termsKey)
	w.uint(m.Steps)
	for e := range m.Quality {
		w.float(m.Quality[e].Sum)
		w.float(m.Quality[e].Weight)
	}
	m.eachNumber(func(v *float32) { w.word32(math.Float32bits(*v)) })
	return w
}

// UnmarshalModel decodes a model. One of other terms than today's cannot be read: it
// is to be learnt anew.
func UnmarshalModel(value []byte) (*Model, error) {
	u := &unwire{b: value}
	if u.byte() != modelVersion || u.uint() != Terms || u.uint() != Contexts || u.uint() != netHidden || u.word32() != termsKey {
		return nil, errWire
	}
	m := &Model{Steps: u.uint()}
	for e := range m.Quality {
		m.Quality[e] = Quality{u.float(), u.float()}
		u.bad = u.bad || m.Quality[e].Sum-m.Quality[e].Sum != 0 || m.Quality[e].Weight-m.Quality[e].Weight != 0
	}
	m.eachNumber(func(v *float32) {
		*v = math.Float32frombits(u.word32())
		u.bad = u.bad || *v-*v != 0 // infinite, or not a number
	})
	return m, u.end()
}

// termsKey tells one set of terms from another of the same size.
var termsKey = Name(TermNames[:]...)

// eachNumber visits all weights and sums of the model, always in the same order.
func (m *Model) eachNumber(visit func(*float32)) {
	for t := range m.Weights {
		for c := range m.Weights[t] {
			visit(&m.Weights[t][c])
			visit(&m.squares[t][c])
		}
	}
	for h := range m.net.in {
		visit(&m.net.out[h])
		visit(&m.net.outSquares[h])
		m.net.in[h].each(&m.net.inSquares[h], &netRow{}, func(w, squares, _ *float32) {
			visit(w)
			visit(squares)
		})
	}
}
