package rank

import "math"

// dims is the length of a learnt vector.
const dims = 12

// vector is what has been learnt of a category or an event, without a name for what
// each number means. Whose vectors point the same way belong together.
type vector [dims]float32

func (v *vector) dot(o *vector) float32 {
	return ((v[0]*o[0] + v[1]*o[1]) + (v[2]*o[2] + v[3]*o[3])) + ((v[4]*o[4] + v[5]*o[5]) + (v[6]*o[6] + v[7]*o[7])) +
		((v[8]*o[8] + v[9]*o[9]) + (v[10]*o[10] + v[11]*o[11]))
}

// add adds o, scaled.
func (v *vector) add(scale float32, o *vector) {
	for i := range v {
		v[i] += scale * o[i]
	}
}

// cosine is that of the angle between two vectors, 0 where one has no length.
func (v *vector) cosine(o *vector) float32 {
	lengths := v.dot(v) * o.dot(o)
	if lengths < 1e-12 {
		return 0
	}
	return v.dot(o) / root(lengths)
}

const leastRows = 64 // of a table

// vectorTable is a bounded number of vectors, a power of two. What they belong to
// finds its row by the low bits of a hash, so that a company's model keeps its size;
// a row that two share serves both as well as it can (Weinberger et al., Feature
// Hashing, ICML 2009). A table grows with the company, up to its bound.
type vectorTable struct {
	rows    []vector
	squares []float32 // sums of squared slopes, one a row; 0: the row has learnt nothing
	seed    uint64
	spread  float32 // how far from 0 rows begin at most
}

// newVectorTable returns a table of the fewest rows. They differ a little from each
// other where spread is not 0: two sides that both are 0 would stay so.
func newVectorTable(seed uint64, spread float32) vectorTable {
	t := vectorTable{seed: seed, spread: spread}
	t.resize(leastRows)
	return t
}

func (t *vectorTable) index(hash uint64) int { return int(hash) & (len(t.rows) - 1) }
func (t *vectorTable) row(hash uint64) *vector {
	return &t.rows[t.index(hash)]
}

// resize makes the table have so many rows, a power of two that is not less than it
// has. What a new row belongs to had another one until now: it begins as a copy.
func (t *vectorTable) resize(rows int) {
	old := len(t.rows)
	if rows <= old {
		return
	}
	t.rows, t.squares = append(t.rows, make([]vector, rows-old)...), append(t.squares, make([]float32, rows-old)...)
	for i := old; i < rows; i++ {
		if old > 0 && t.squares[i%old] > 0 {
			t.rows[i], t.squares[i] = t.rows[i%old], t.squares[i%old]
			continue
		}
		die := Scatter(t.seed<<32 | uint64(i))
		for k := range t.rows[i] {
			die = Scatter(die)
			t.rows[i][k] = (float32(die>>40)/(1<<23) - 1) * t.spread
		}
	}
}

// biasTable holds single numbers by hash, as [vectorTable] holds vectors.
type biasTable struct{ values, squares []float32 }

func (t *biasTable) index(hash uint64) int { return int(hash) & (len(t.values) - 1) }

func (t *biasTable) value(hash uint64) float32 { return t.values[t.index(hash)] }

func (t *biasTable) resize(rows int) {
	for len(t.values) < rows {
		if len(t.values) == 0 {
			t.values, t.squares = make([]float32, leastRows), make([]float32, leastRows)
			continue
		}
		t.values, t.squares = append(t.values, t.values...), append(t.squares, t.squares...)
	}
}

func root(v float32) float32 { return float32(math.Sqrt(float64(v))) }
