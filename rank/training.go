package rank

import (
	"cmp"
	"math"
	"slices"
)

const (
	learnRate   = 0.1
	netRate     = 0.02
	netLeast    = 1e-3 // slopes of the net's loss below this are left out
	learnRandom = 150  // open events drawn beside the retrieved ones
	learnAll    = 600  // so many open events are all looked at
)

// Learn takes one step from a coupon: its events against those that were open. The
// question is the bettor's state before the coupon, at the coupon's time. The same
// state and coupon give the same step.
func (m *Model) Learn(x *Index, q *Question, events []uint64, s *Scratch) {
	m.tastes.fit(len(x.categories), len(x.entries))
	s.reset(len(x.categories), len(x.entries))
	r := &s.ranking
	r.begin(x, &Question{Query: q.Query, Now: q.Now, Model: m}, s)
	legs := r.fillList(events)
	if legs == 0 {
		return
	}
	m.Steps++
	var w [Terms]float32
	m.weights(&r.context, &w)
	list := s.scored
	for i := range list {
		list[i].score = dot(&w, &list[i].terms)
	}
	top := r.bestScored()
	m.measure(r, top)
	m.learnNet(r, top)
	m.learnLinear(r, legs)
	r.learnTastes(w[termBias])
}

// fillList fills the list: the legs that were open, what retrieval proposes, and some
// events drawn from all, which stand for those left out. It returns how many legs
// there are.
func (r *ranking) fillList(events []uint64) (legs int) {
	s := r.Scratch
	s.scored = s.scored[:0]
	add := func(slot int32, leg bool, extra float32) bool {
		if !r.admits(slot) {
			return false
		}
		r.skip[slot] = r.generation
		s.scored = append(s.scored, scored{slot: slot, isLeg: leg, extra: extra})
		r.fill(slot, &s.scored[len(s.scored)-1].terms)
		return true
	}
	seed := uint64(r.micros)
	for _, event := range events {
		seed ^= event
		if slot, ok := r.slots[event]; ok && add(slot, true, 0) {
			legs++
		}
	}
	if legs == 0 {
		return 0
	}
	if len(r.open) <= learnAll {
		for _, slot := range r.open {
			add(slot, false, 0)
		}
		return legs
	}
	s.picked = r.retrieve(s.picked[:0], toLearn)
	for _, slot := range s.picked {
		s.scored = append(s.scored, scored{slot: slot})
		r.fill(slot, &s.scored[len(s.scored)-1].terms)
	}
	extra := ln(max(1, float32(len(r.open)-len(s.scored))/learnRandom))
	for range learnRandom {
		seed = Scatter(seed)
		add(r.open[seed%uint64(len(r.open))], false, extra)
	}
	return legs
}

// bestScored points to the best of the list by the first stage, best first,
// [netDepth] at most.
func (r *ranking) bestScored() []*scored {
	top, least := r.top[:0], float32(math.Inf(-1))
	order := func(a, b *scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(r.entries[a.slot].ref, r.entries[b.slot].ref))
	}
	for i := range r.scored {
		l := &r.scored[i]
		if l.score < least {
			continue
		}
		top = append(top, l)
		if len(top) == 4*netDepth {
			slices.SortFunc(top, order)
			top = top[:netDepth]
			least = top[netDepth-1].score
		}
	}
	slices.SortFunc(top, order)
	r.top = top[:min(len(top), netDepth)]
	return r.top
}

// learnLinear takes the first stage's step.
func (m *Model) learnLinear(r *ranking, legs int) {
	list, most := r.scored, float32(math.Inf(-1))
	for i := range list {
		most = max(most, list[i].score+list[i].extra)
	}
	sum := float32(0)
	for i := range list {
		list[i].share = exp2((list[i].score + list[i].extra - most) * math.Log2E)
		sum += list[i].share
	}
	var slope [Terms]float32
	for i := range list {
		l := &list[i]
		d := l.share / sum
		if l.isLeg {
			d -= 1 / float32(legs)
		}
		l.slope = d * float32(legs) // each leg is a bet
		d = l.slope
		if d > -1e-5 && d < 1e-5 {
			continue
		}
		for t := range slope {
			slope[t] += d * l.terms[t]
		}
	}
	for t := range slope[:termTaste] {
		for c, v := range r.context {
			if d := slope[t] * v; d != 0 {
				m.squares[t][c] += d * d
				m.Weights[t][c] -= learnRate * d / (root(m.squares[t][c]) + 1e-6)
			}
		}
	}
}

// learnNet takes the second stage's step, where a leg is among the best.
func (m *Model) learnNet(r *ranking, top []*scored) {
	legs := float32(0)
	for _, l := range top {
		if l.isLeg {
			legs++
		}
	}
	if legs == 0 || len(top) < 2 {
		return
	}
	v, slopes, most := &r.view, r.slopes[:len(top)], float32(math.Inf(-1))
	m.net.move(top, &r.context, v)
	for k, l := range top {
		slopes[k] = l.score + v.shift[k]
		most = max(most, slopes[k])
	}
	sum := float32(0)
	for k := range slopes {
		slopes[k] = exp2((slopes[k] - most) * math.Log2E)
		sum += slopes[k]
	}
	for k, l := range top {
		slopes[k] /= sum
		if l.isLeg {
			slopes[k] -= 1 / legs
		}
	}
	m.net.learn(top, &r.context, v, slopes)
}

// learn takes a step; slopes are those of the loss by each event's score.
func (n *net) learn(top []*scored, context *[Contexts]float32, v *netView, slopes []float32) {
	var out [netHidden]float32
	var in [netHidden]netRow
	for k, l := range top {
		d := slopes[k]
		if d > -netLeast && d < netLeast {
			continue
		}
		behind, rank := l.score-top[0].score, 2/float32(k+2)
		for h := range in {
			out[h] += d * v.hidden[k][h]
			slope := d * n.out[h]
			if v.hidden[k][h] < 0 {
				slope *= netLeak
			}
			if slope == 0 {
				continue
			}
			row := &in[h]
			for t := range row.terms {
				row.terms[t] += slope * l.terms[t]
			}
			for t := range row.centred {
				row.centred[t] += slope * (l.terms[t] - v.mean[t])
			}
			for c, known := range context {
				row.context[c] += slope * known
			}
			row.behind += slope * behind
			row.rank += slope * rank
		}
	}
	for h := range in {
		n.outSquares[h] += out[h] * out[h]
		n.out[h] -= netRate * out[h] / (root(n.outSquares[h]) + 1e-4)
		n.in[h].each(&n.inSquares[h], &in[h], func(w, squares, slope *float32) {
			*squares += *slope * *slope
			*w -= netRate * *slope / (root(*squares) + 1e-4)
		})
	}
}
