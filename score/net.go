package score

import "math"

// The second stage: a small net looks at the best events of the first and moves
// them. Its inputs are the terms, each also against the mean of the list, and how
// much is known of the bettor.
const (
	netInputs = 2*Terms + Contexts + 2
	netHidden = 16
	netDepth  = 48 // events it looks at
)

type net struct {
	In, InG   [netHidden][netInputs]float32
	Out, OutG [netHidden]float32
}

func newNet(seed uint64) *net {
	n := new(net)
	for h := range n.In {
		for i := range n.In[h] {
			seed = scatter(seed)
			n.In[h][i] = (float32(seed>>40)/(1<<24) - .5) * .3
		}
	}
	return n
}

type netEvent struct {
	x [netInputs]float32
	h [netHidden]float32
}

// inputs lays out the inputs of the list's best events.
func netList(top []*list, context *[Contexts]float32, events []netEvent) {
	var mean [Terms]float32
	for _, l := range top {
		for t := range mean {
			mean[t] += l.t[t]
		}
	}
	for t := range mean {
		mean[t] /= float32(len(top))
	}
	for k, l := range top {
		x := &events[k].x
		for t := range mean {
			x[t] = l.t[t]
			x[Terms+t] = l.t[t] - mean[t]
		}
		copy(x[2*Terms:], context[:])
		x[netInputs-2] = l.s - top[0].s
		x[netInputs-1] = 2 / float32(k+2)
	}
}

func (n *net) forward(e *netEvent) float32 {
	out := float32(0)
	for h := range n.In {
		w := &n.In[h]
		sum := float32(0)
		for i := range w {
			sum += w[i] * e.x[i]
		}
		if sum < 0 {
			sum *= .1
		}
		e.h[h] = sum
		out += n.Out[h] * sum
	}
	return out
}

// learn takes a step: d is the derivative of the loss by each event's score.
func (n *net) learn(events []netEvent, d []float32, rate float32) {
	var out [netHidden]float32
	var in [netHidden][netInputs]float32
	for k := range events {
		if d[k] > -1e-3 && d[k] < 1e-3 {
			continue
		}
		e := &events[k]
		for h := range in {
			out[h] += d[k] * e.h[h]
			g := d[k] * n.Out[h]
			if e.h[h] < 0 {
				g *= .1
			}
			if g == 0 {
				continue
			}
			row := &in[h]
			for i := range row {
				row[i] += g * e.x[i]
			}
		}
	}
	for h := range in {
		n.OutG[h] += out[h] * out[h]
		n.Out[h] -= rate * out[h] / (root(n.OutG[h]) + 1e-4)
		w, g, row := &n.In[h], &n.InG[h], &in[h]
		for i := range row {
			g[i] += row[i] * row[i]
			w[i] -= rate * row[i] / (root(g[i]) + 1e-4)
		}
	}
}

func root(v float32) float32 { return float32(math.Sqrt(float64(v))) }
