package score

import (
	"cmp"
	"math"
	"slices"
)

// Model is what a company's stream has taught: how much each term counts, how the
// small net moves the best events, and which way to rank does best of late. Every
// coupon is a labelled list, its legs against what was open, and takes one step.
//
// The first stage is linear in the terms, with weights that depend on how much is
// known of the bettor; loss is the cross-entropy of a softmax over the list, the
// steps are AdaGrad's (Duchi, Hazan, Singer, JMLR 2011).
type Model struct {
	Steps   uint64 // coupons learnt from
	Weights [Terms][Contexts]float32
	squares [Terms][Contexts]float32 // sums of squared slopes
	net     net
	tastes  tastes
	Quality [rankerCount]Quality
	off     []int // terms that are left out
}

// Without makes a model do without a term, or all terms of a part of the score, to
// measure what they bring. It returns false where there is neither of that name.
func (m *Model) Without(name string) bool {
	for t, part := range partOf {
		if PartNames[part] == name || TermNames[t] == name {
			m.off = append(m.off, t)
		}
	}
	return len(m.off) > 0
}

// Quality is the running NDCG@10 of one way to rank, over the last two thousand or so
// coupons.
type Quality struct {
	Sum, Weight float64
	Squares     float64 // of what it was better or worse by than the hand blend
}

// NDCG is the mean, 0 before anything was measured.
func (q Quality) NDCG() float64 { return q.Sum / max(q.Weight, 1) }

const (
	learnRate     = 0.1
	netRate       = 0.02
	learnRandom   = 150 // open events drawn beside the retrieved ones
	learnAll      = 600 // so many open events are all looked at
	qualityFade   = 0.9995
	qualityLeast  = 50 // measured coupons before the learnt rankers may lead
	qualityMargin = 1.01
)

// The rankers that are compared while learning: the learnt ones
// first, then plain ones that hold the floor.
const (
	rankerNet = iota
	rankerLinear
	rankerBlend
	rankerByAffinity
	rankerPairsPopular
	rankerPairs
	rankerByPopularity
	rankerCount
)

// ComparedRankers names what [Model.Quality] measures.
var ComparedRankers = [rankerCount]string{"two stages", "linear", "hand blend", RankerAffinity, "pairs and popularity", RankerCF, RankerPopular}

// NewModel returns a model that ranks by the hand blend and has learnt nothing.
func NewModel() *Model {
	m := &Model{net: newNet(), tastes: newTastes()}
	for t, w := range plainWeights(rankerBlend, false) {
		m.Weights[t][contextAlways] = w / 2
	}
	for t := termBias; t < Terms; t++ {
		m.Weights[t][contextAlways] = 1
	}
	return m
}

// earned says whether one way to rank did better than the hand blend by more than
// chance explains: by the standard error of the difference. No better one is needed.
func (m *Model) earned(ranker int) bool {
	q := &m.Quality[ranker]
	return q.Weight > 0 && q.NDCG()-m.Quality[rankerBlend].NDCG() > math.Sqrt(q.Squares)/q.Weight
}

// Leader is the way to rank that did best of late. A plain one leads while little
// is learnt, and where the learnt ones fall behind it; the hand blend while nothing
// else is known to do better.
func (m *Model) Leader() int {
	learnt, plain := rankerLinear, rankerBlend
	if m.Quality[rankerNet].NDCG() >= m.Quality[rankerLinear].NDCG() {
		learnt = rankerNet
	}
	for e := rankerBlend; e < rankerCount; e++ {
		if m.earned(e) && m.Quality[e].NDCG() > m.Quality[plain].NDCG() {
			plain = e
		}
	}
	q := &m.Quality[learnt]
	if q.Weight < qualityLeast || !m.earned(learnt) || q.NDCG()*qualityMargin < m.Quality[plain].NDCG() {
		return plain
	}
	return learnt
}

// weights gives the first stage's weights for a bettor.
func (m *Model) weights(context *[Contexts]float32, w *[Terms]float32) {
	for t := range w {
		row := &m.Weights[t]
		w[t] = row[0]*context[0] + row[1]*context[1] + row[2]*context[2] + row[3]*context[3] + row[4]*context[4]
	}
	for _, off := range m.off {
		w[off] = 0
	}
}

// scored is one event of the list that a coupon is learnt from.
type scored struct {
	slot  int32
	isLeg bool
	extra float32 // logarithm of how many events it stands for
	score float32 // of the first stage
	share float32 // softmax of score and extra
	slope float32 // of the loss by the score
	terms [Terms]float32
}

// dot sums in four lanes, as each addition waits for the one before it.
func dot(a, b *[Terms]float32) float32 {
	var s0, s1, s2, s3 float32
	for i := 0; i+3 < Terms; i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for i := Terms &^ 3; i < Terms; i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// Learn takes one step from a coupon: its events against those that were open. The
// question is the bettor's state before the coupon, at the coupon's time. The same
// state and coupon give the same step.
func (m *Model) Learn(x *Index, q *Question, events []uint64, s *Scratch) {
	m.tastes.fit(len(x.categories), len(x.entries))
	s.reset(len(x.categories), len(x.entries))
	r := &s.ranking
	r.begin(x, &Question{Query: q.Query, Bettor: q.Bettor, Now: q.Now, Model: m}, s)
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

// measure holds every way to rank against the coupon.
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

// Scatter spreads a number over all of its bits (splitmix64).
func Scatter(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}
