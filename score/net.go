package score

import "math"

// The second stage is a small net that looks at the best events of the first and
// moves them. It sees an event's terms, each also against the mean of the list, how
// much is known of the bettor, and where the event stands.
const (
	netInputs = 2*Terms + Contexts + 2
	netHidden = 16
	netDepth  = 48   // events it looks at
	netLeak   = 0.1  // slope of a hidden unit below 0
	netLeast  = 1e-3 // slopes of the loss below this are left out
)

// net has one hidden layer, and the sums of squared slopes of its weights.
type net struct {
	in, inSquares   [netHidden][netInputs]float32
	out, outSquares [netHidden]float32
}

// newNet returns a net that moves nothing, as it has no weights out yet.
func newNet() (n net) {
	seed := uint64(1)
	for h := range n.in {
		for i := range n.in[h] {
			seed = scatter(seed)
			n.in[h][i] = (float32(seed>>40)/(1<<24) - 0.5) * 0.3
		}
	}
	return n
}

// netEvent is an event as the net sees it.
type netEvent struct {
	x      [netInputs]float32
	hidden [netHidden]float32
}

// netInputs lays out what the net sees of the best events, best first.
func (r *ranking) netInputs(top []*labelled) {
	var mean [Terms]float32
	for _, l := range top {
		for t := range mean {
			mean[t] += l.terms[t]
		}
	}
	for t := range mean {
		mean[t] /= float32(len(top))
	}
	for k, l := range top {
		x := &r.seen[k].x
		for t := range mean {
			x[t] = l.terms[t]
			x[Terms+t] = l.terms[t] - mean[t]
		}
		copy(x[2*Terms:], r.context[:])
		x[netInputs-2] = l.score - top[0].score
		x[netInputs-1] = 2 / float32(k+2)
	}
}

// forward is how much the net moves an event.
func (n *net) forward(e *netEvent) float32 {
	moved := float32(0)
	for h := range n.in {
		w, a, b, c, d := &n.in[h], float32(0), float32(0), float32(0), float32(0)
		i := 0
		for ; i+3 < netInputs; i += 4 {
			a += w[i] * e.x[i]
			b += w[i+1] * e.x[i+1]
			c += w[i+2] * e.x[i+2]
			d += w[i+3] * e.x[i+3]
		}
		for ; i < netInputs; i++ {
			a += w[i] * e.x[i]
		}
		sum := a + b + (c + d)
		if sum < 0 {
			sum *= netLeak
		}
		e.hidden[h] = sum
		moved += n.out[h] * sum
	}
	return moved
}

// learn takes a step; slopes are those of the loss by each event's score.
func (n *net) learn(events []netEvent, slopes []float32) {
	var out [netHidden]float32
	var in [netHidden][netInputs]float32
	for k := range events {
		d, e := slopes[k], &events[k]
		if d > -netLeast && d < netLeast {
			continue
		}
		for h := range in {
			out[h] += d * e.hidden[h]
			slope := d * n.out[h]
			if e.hidden[h] < 0 {
				slope *= netLeak
			}
			if slope == 0 {
				continue
			}
			row := &in[h]
			for i := range row {
				row[i] += slope * e.x[i]
			}
		}
	}
	for h := range in {
		n.outSquares[h] += out[h] * out[h]
		n.out[h] -= netRate * out[h] / (root(n.outSquares[h]) + 1e-4)
		w, squares, row := &n.in[h], &n.inSquares[h], &in[h]
		for i := range row {
			squares[i] += row[i] * row[i]
			w[i] -= netRate * row[i] / (root(squares[i]) + 1e-4)
		}
	}
}

func root(v float32) float32 { return float32(math.Sqrt(float64(v))) }
