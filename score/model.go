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
	if u.byte() != modelVersion || u.uint() != Terms || u.uint() != Contexts || u.uint() != netHidden {
		return nil, errWire
	}
	m := &Model{Steps: u.uint()}
	for e := range m.Quality {
		m.Quality[e] = Quality{u.float(), u.float()}
	}
	m.eachNumber(func(v *float32) { *v = math.Float32frombits(u.word32()) })
	return m, u.end()
}

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
