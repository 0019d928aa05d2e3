package rank

import (
	"math"
	"slices"
)

// qualityFade is what an older coupon counts against the next one in [Quality].
const qualityFade = 0.9995

// measure compares every way to rank with the coupon.
func (m *Model) measure(r *ranking, top []*scored) {
	var gains [rankerCount]float64
	for e := range rankerCount {
		gain := 0.0
		switch e {
		case rankerNet:
			if len(top) > 1 {
				gain = m.gainNet(r, top)
			}
		case rankerLinear:
			gain = r.gain(func(l *scored) float32 { return l.score })
		default:
			w := plainWeights(e, r.context[contextCold] > 0)
			for i := range r.scored {
				r.scored[i].share = dot(w, &r.scored[i].terms)
			}
			gain = r.gain(func(l *scored) float32 { return l.share })
		}
		gains[e] = gain
	}
	for e, gain := range gains {
		q, better := &m.Quality[e], gain-gains[rankerBlend]
		q.Sum, q.Weight, q.Squares = q.Sum*qualityFade+gain, q.Weight*qualityFade+1, q.Squares*qualityFade+better*better
	}
}

func (m *Model) gainNet(r *ranking, top []*scored) float64 {
	m.net.move(top, &r.context, &r.view)
	lowest := float32(math.Inf(1))
	for k, l := range top {
		l.share = l.score + r.view.shift[k]
		lowest = min(lowest, l.share)
	}
	for i := range r.scored {
		if l := &r.scored[i]; !slices.Contains(top, l) {
			l.share = lowest - 1
		}
	}
	return r.gain(func(l *scored) float32 { return l.share })
}

// gain is the NDCG@10 of the list by a score; equals stand before the legs.
func (r *ranking) gain(score func(*scored) float32) float64 {
	legs, got := 0, 0.0
	for i := range r.scored {
		if !r.scored[i].isLeg {
			continue
		}
		legs++
		rank, own := 0, score(&r.scored[i])
		if own != own { // not a number: nothing was foreseen
			continue
		}
		for j := range r.scored {
			if s := score(&r.scored[j]); s > own || s == own && !r.scored[j].isLeg {
				rank++
			}
		}
		if rank < 10 {
			got += 1 / math.Log2(float64(rank)+2)
		}
	}
	best := 0.0
	for i := range min(legs, 10) {
		best += 1 / math.Log2(float64(i)+2)
	}
	return got / best
}
