package score

import (
	"cmp"
	"math"
	"os"
	"slices"
	"strconv"

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
	net    *net
	top    []*list
	events [64]netEvent
	d      []float32
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
	m := &Model{Rate: Tune("rate", .1), Random: 150, LogQ: 1}
	m.net = newNet(1)
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
	m.learnNet(list, &r.context)
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

// best sorts the list's best events to the front.
func (m *Model) best(list []list) []*list0_ {
	m.top = m.top[:0]
	least := float32(math.Inf(-1))
	for i := range list {
		l := &list[i]
		l.s -= l.logq
		if l.s <= least {
			continue
		}
		m.top = append(m.top, l)
		if len(m.top) == 4*netDepth {
			slices.SortFunc(m.top, func(a, b *list0_) int { return cmp.Compare(b.s, a.s) })
			m.top = m.top[:netDepth]
			least = m.top[netDepth-1].s
		}
	}
	slices.SortFunc(m.top, func(a, b *list0_) int { return cmp.Or(cmp.Compare(b.s, a.s), cmp.Compare(a.slot, b.slot)) })
	m.top = m.top[:min(len(m.top), netDepth)]
	for i := range list {
		list[i].s += list[i].logq
	}
	return m.top
}

type list0_ = list

func (m *Model) learnNet(list []list, context *[Contexts]float32) {
	top := m.best(list)
	legs := float32(0)
	for _, l := range top {
		legs += l.y
	}
	if legs == 0 || len(top) < 2 {
		return
	}
	netList(top, context, m.events[:])
	m.d = m.d[:0]
	most := float32(math.Inf(-1))
	for k, l := range top {
		s := l.s + m.net.forward(&m.events[k])
		m.d = append(m.d, s)
		most = max(most, s)
	}
	sum := float32(0)
	for k := range m.d {
		m.d[k] = float32(math.Exp(float64(m.d[k] - most)))
		sum += m.d[k]
	}
	for k, l := range top {
		m.d[k] = m.d[k]/sum - l.y/legs
	}
	m.net.learn(m.events[:len(top)], m.d, Tune("netrate", .02))
}

func list0(slot int32, logq float32) list0_ { return list0_{slot: slot, logq: logq} }

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
			s.pool.offer(candidate{slot, dot(&w, &t), e}, max(q.N, netDepth))
		}
	}
	slices.SortFunc(s.pool, func(a, b candidate) int { return b.compare(a) })
	if q.Ranker == "retrieve" && len(s.pool) > 1 {
		m := q.Model
		m.lists = m.lists[:0]
		m.top = m.top[:0]
		n := min(len(s.pool), netDepth)
		for _, c := range s.pool[:n] {
			l := list0(c.slot, 0)
			l.s = c.score
			r.fill(c.slot, &l.t)
			m.lists = append(m.lists, l)
		}
		for i := range m.lists {
			m.top = append(m.top, &m.lists[i])
		}
		netList(m.top, &r.context, m.events[:])
		for i := range m.lists {
			s.pool[i].score += m.net.forward(&m.events[i])
		}
		slices.SortFunc(s.pool, func(a, b candidate) int { return b.compare(a) })
	}
	s.pool = s.pool[:min(len(s.pool), q.N)]
	var events []*tipoff.Event
	for _, c := range s.pool {
		events = append(events, c.entry.event)
	}
	return events
}

var _ = cmp.Compare[int]

// Tune is for research.
func Tune(name string, v float32) float32 {
	if f, ok := tuned[name]; ok {
		return f
	}
	if s := os.Getenv("T_" + name); s != "" {
		f, _ := strconv.ParseFloat(s, 32)
		v = float32(f)
	}
	tuned[name] = v
	return v
}

var tuned = map[string]float32{}
