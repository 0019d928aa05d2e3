package rank

// The second stage is a small net that looks at the best events of the first and
// moves them. It sees an event's terms, each also against the mean of the list, how
// much is known of the bettor, and where the event stands.
const (
	netHidden = 16
	netDepth  = 24  // events it looks at
	netLeak   = 0.1 // slope of a hidden unit below 0
)

// netRow are the weights into a hidden unit.
type netRow struct {
	terms, centred [Terms]float32 // of the terms, and of the terms less their mean
	context        [Contexts]float32
	behind         float32 // of the score less the best one's
	rank           float32 // of 2 / (rank + 2)
}

// net has one hidden layer, and the sums of squared slopes of its weights.
type net struct {
	in, inSquares   [netHidden]netRow
	out, outSquares [netHidden]float32
}

// newNet returns a net that moves nothing, as it has no weights out yet.
func newNet() (n net) {
	seed := uint64(1)
	for h := range n.in {
		n.in[h].each(&netRow{}, &netRow{}, func(w, _, _ *float32) {
			seed = Scatter(seed)
			*w = (float32(seed>>40)/(1<<24) - 0.5) * 0.3
		})
	}
	return n
}

// each visits every weight with the same ones of two other rows.
func (r *netRow) each(a, b *netRow, visit func(w, a, b *float32)) {
	for t := range r.terms {
		visit(&r.terms[t], &a.terms[t], &b.terms[t])
		visit(&r.centred[t], &a.centred[t], &b.centred[t])
	}
	for c := range r.context {
		visit(&r.context[c], &a.context[c], &b.context[c])
	}
	visit(&r.behind, &a.behind, &b.behind)
	visit(&r.rank, &a.rank, &b.rank)
}

// netView is a list as the net sees it, and what it made of it.
type netView struct {
	mean   [Terms]float32
	folded [netHidden][Terms]float32 // both weights of a term, as one
	base   [netHidden]float32        // what all events of the list share
	hidden [netDepth][netHidden]float32
	shift  [netDepth]float32
}

// move computes how much the net moves each of the best events, best first.
func (n *net) move(top []*scored, context *[Contexts]float32, v *netView) {
	v.mean = [Terms]float32{}
	for _, l := range top {
		for t := range v.mean {
			v.mean[t] += l.terms[t]
		}
	}
	for t := range v.mean {
		v.mean[t] /= float32(len(top))
	}
	for h := range n.in {
		w := &n.in[h]
		v.base[h] = -dot(&w.centred, &v.mean)
		for c, known := range context {
			v.base[h] += w.context[c] * known
		}
		for t := range w.terms {
			v.folded[h][t] = w.terms[t] + w.centred[t]
		}
	}
	for h := range n.in {
		folded := &v.folded[h]
		k := 0
		for ; k+1 < len(top); k += 2 {
			v.hidden[k][h], v.hidden[k+1][h] = dotTwo(folded, &top[k].terms, &top[k+1].terms)
		}
		if k < len(top) {
			v.hidden[k][h] = dot(folded, &top[k].terms)
		}
	}
	for k, l := range top {
		moved, hidden := float32(0), &v.hidden[k]
		behind, rank := l.score-top[0].score, 2/float32(k+2)
		for h := range hidden {
			w := &n.in[h]
			sum := v.base[h] + hidden[h] + w.behind*behind + w.rank*rank
			if sum < 0 {
				sum *= netLeak
			}
			hidden[h] = sum
			moved += n.out[h] * sum
		}
		v.shift[k] = moved
	}
}

// dotTwo is [dot] of w with a and with b, which loads w once.
func dotTwo(w, a, b *[Terms]float32) (float32, float32) {
	var a0, a1, a2, a3, b0, b1, b2, b3 float32
	for i := 0; i+3 < Terms; i += 4 {
		w0, w1, w2, w3 := w[i], w[i+1], w[i+2], w[i+3]
		a0 += w0 * a[i]
		b0 += w0 * b[i]
		a1 += w1 * a[i+1]
		b1 += w1 * b[i+1]
		a2 += w2 * a[i+2]
		b2 += w2 * b[i+2]
		a3 += w3 * a[i+3]
		b3 += w3 * b[i+3]
	}
	for i := Terms &^ 3; i < Terms; i++ {
		a0 += w[i] * a[i]
		b0 += w[i] * b[i]
	}
	return (a0 + a1) + (a2 + a3), (b0 + b1) + (b2 + b3)
}
