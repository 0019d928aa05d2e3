package score

import (
	"cmp"
	"math"
	"slices"

	"tipoff"
)

// Model is what was learnt.
type Model struct {
	W, G   [Terms * Contexts]float32
	Rate   float32
	Random int
	LogQ   float32
	lists  []list
	slots  []int32
}

type list struct {
	slot int32
	logq float32
	y    float32
	t    [Terms]float32
	s    float32
}

// NewModel knows nothing.
func NewModel() *Model {
	m := &Model{Rate: .1, Random: 150, LogQ: 1}
	m.W[termPop6h*Contexts] = .5
	m.W[termPairCos*Contexts] = .5
	return m
}

func (m *Model) weights(context *[Contexts]float32, w *[Terms]float32) {
	for t := range w {
		sum := float32(0)
		for c, v := range context {
			sum += m.W[t*Contexts+c] * v
		}
		w[t] = sum
	}
}

func dot(a, b *[Terms]float32) float32 {
	sum := float32(0)
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// Learn takes one step from a bet: its events against those that were open.
func (m *Model) Learn(x *Index, q *Question, events []uint64, s *Scratch) {
	s.reset(len(x.categories), len(x.entries))
	r := &termSet{Index: x, Scratch: s, q: q}
	r.prepare()
	if b := q.Bettor; b != nil {
		for i := range b.Bets {
			for _, leg := range b.Bets[i].Legs {
				if slot, ok := x.slots[leg.Event]; ok {
					s.skip[slot] = s.generation
				}
			}
		}
	}
	list := m.lists[:0]
	add := func(slot int32, logq float32) *[Terms]float32 {
		e := &x.entries[slot]
		if e.place < 0 || e.begin <= r.micros || s.skip[slot] == s.generation {
			return nil
		}
		s.skip[slot] = s.generation
		list = append(list, list0(slot, logq))
		l := &list[len(list)-1]
		r.fill(slot, &l.t)
		return &l.t
	}
	legs := 0
	seed := uint64(len(events))
	for _, e := range events {
		seed ^= e
		if slot, ok := x.slots[e]; ok && add(slot, 0) != nil {
			list[len(list)-1].y = 1
			legs++
		}
	}
	if legs == 0 {
		m.lists = list
		return
	}
	if len(x.open) <= 600 {
		for _, slot := range x.open {
			add(slot, 0)
		}
	} else {
		m.slots = r.retrieve(m.slots[:0])
		for _, slot := range m.slots {
			list = append(list, list0(slot, 0))
			r.fill(slot, &list[len(list)-1].t)
		}
		hard := len(list)
		logq := float32(math.Log(math.Max(1, float64(len(x.open)-hard)/float64(m.Random)))) * m.LogQ
		for i := 0; i < m.Random; i++ {
			seed = scatter(seed + uint64(q.Now.UnixNano()))
			add(x.open[seed%uint64(len(x.open))], logq)
		}
	}
	var w [Terms]float32
	m.weights(&r.context, &w)
	most := float32(math.Inf(-1))
	for i := range list {
		l := &list[i]
		l.s = dot(&w, &l.t) + l.logq
		most = max(most, l.s)
	}
	sum := float32(0)
	for i := range list {
		l := &list[i]
		l.s = float32(math.Exp(float64(l.s - most)))
		sum += l.s
	}
	var g [Terms]float32
	for i := range list {
		l := &list[i]
		d := l.s/sum - l.y/float32(legs)
		if d > -1e-5 && d < 1e-5 {
			continue
		}
		for t := range g {
			g[t] += d * l.t[t]
		}
	}
	for t := range g {
		for c, v := range r.context {
			if v == 0 {
				continue
			}
			k := t*Contexts + c
			d := g[t] * v
			m.G[k] += d * d
			m.W[k] -= m.Rate * d / (float32(math.Sqrt(float64(m.G[k]))) + 1e-6)
		}
	}
	m.lists = list
}

func list0(slot int32, logq float32) list { return list{slot: slot, logq: logq} }

func scatter(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}

// RankLearnt ranks all open events.
func (x *Index) RankLearnt(q *Question, s *Scratch) []*tipoff.Event {
	s.reset(len(x.categories), len(x.entries))
	r := &termSet{Index: x, Scratch: s, q: q}
	r.prepare()
	if b := q.Bettor; b != nil {
		for i := range b.Bets {
			for _, leg := range b.Bets[i].Legs {
				if slot, ok := x.slots[leg.Event]; ok {
					s.skip[slot] = s.generation
				}
			}
		}
	}
	for _, id := range q.Exclude {
		if slot, ok := x.slots[tipoff.EventRef(id)]; ok {
			s.skip[slot] = s.generation
		}
	}
	var w, t [Terms]float32
	q.Model.weights(&r.context, &w)
	open := x.open
	if q.Ranker == "retrieve" {
		q.Model.slots = r.retrieve(q.Model.slots[:0])
		open = q.Model.slots
	}
	for _, slot := range open {
		e := &x.entries[slot]
		if q.Ranker == "retrieve" || e.begin > r.micros && s.skip[slot] != s.generation {
			r.fill(slot, &t)
			s.pool.offer(candidate{slot, dot(&w, &t), e}, q.N)
		}
	}
	slices.SortFunc(s.pool, func(a, b candidate) int { return b.compare(a) })
	var events []*tipoff.Event
	for _, c := range s.pool {
		events = append(events, c.entry.event)
	}
	return events
}

var _ = cmp.Compare[int]
