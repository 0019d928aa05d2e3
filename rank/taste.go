package rank

import "tipoff/state"

// Bounds of what is learnt of a company, in rows of its tables, and how it is weighed.
const (
	outRows  = 8192 // of categories as parts of events
	inRows   = 4096 // of categories as parts of bettors
	itemRows = 4096
	biasRows = 8192

	vectorSeed = 0.1 // how far from 0 vectors begin at most

	longPrior  = 3.0  // bets with which a taste counts half
	lateFade   = 0.93 // weight of each older event
	latePrior  = 3.0
	itemEvents = 10
	itemFade   = 0.8
	slotHours  = 3
)

// tastes are what a company's bettors and events have in common beyond single
// leagues and teams. Every category has a vector as part of an event (out), one as
// part of what a bettor has chosen in the long run (in), and one as part of what he
// chose of late (late). An event's vector is the sum of its sport's, its league's and
// its teams'; the more a bettor's points its way, the likelier he bets on it. Events
// have vectors of their own beside these, for catalogues without leagues. All are
// learnt from the lists that weights are learnt from (sums of vectors of features:
// Rendle, Factorization Machines, ICDM 2010).
//
// A bettor's vectors are summed up when he asks, from the state that his table value
// holds anyway.
type tastes struct {
	everyone        vector // what all long tastes have in common
	everyoneSquares float32
	out, in, late   vectorTable
	itemOut, itemIn vectorTable
	itemLast        vectorTable // of the last event
	biases          biasTable   // of categories, and of pairs of them
}

func newTastes() tastes {
	t := tastes{
		out: newVectorTable(1, vectorSeed), in: newVectorTable(2, 0), late: newVectorTable(3, 0),
		itemOut: newVectorTable(4, vectorSeed), itemIn: newVectorTable(5, 0), itemLast: newVectorTable(6, 0),
	}
	t.biases.resize(leastRows)
	return t
}

// fit lets the tables grow with the numbers of categories and events.
func (t *tastes) fit(categories, events int) {
	t.out.resize(powerOfTwo(8*categories, outRows))
	t.in.resize(powerOfTwo(8*categories, inRows))
	t.late.resize(powerOfTwo(8*categories, inRows))
	t.biases.resize(powerOfTwo(16*categories, biasRows))
	items := powerOfTwo(2*events, itemRows)
	t.itemOut.resize(items)
	t.itemIn.resize(items)
	t.itemLast.resize(items)
}

// tables lists the tables of vectors, always in the same order.
func (t *tastes) tables() [6]*vectorTable {
	return [...]*vectorTable{&t.out, &t.in, &t.late, &t.itemOut, &t.itemIn, &t.itemLast}
}

// powerOfTwo is the least one from [leastRows] to most that is not below least.
func powerOfTwo(least, most int) int {
	n := leastRows
	for n < least && n < most {
		n *= 2
	}
	return n
}

// coldHash is that of the bias of an event for bettors of whom nothing is known.
func coldHash(event uint64) uint64 { return event >> 16 }

// weighed is a row, by its hash, and how much it counts.
type weighed struct {
	hash   uint64
	weight float32
}

// taste is one bettor's, ready for a question.
type taste struct {
	*tastes
	longSum, lateSum, itemSum vector
	longOf, lateOf, itemOf    []weighed // of which they are sums
	lastItem                  vector
	slot                      uint64 // hash of the part of the day
}

// lately is where a category stands in [taste.lateOf].
type lately struct {
	generation uint32
	in         int32
}

// affine is what a taste says of one category.
type affine struct {
	generation       uint32
	long, late, bias float32
	pull             float32 // while learning: the slopes of the loss by its events, added up
}

// prepareTaste sums up the bettor's vectors.
func (r *ranking) prepareTaste(b *Bettor) {
	t := &r.taste
	t.tastes = &r.q.Model.tastes
	t.longOf, t.lateOf, t.itemOf = t.longOf[:0], t.lateOf[:0], t.itemOf[:0]
	t.longSum, t.lateSum, t.itemSum = t.everyone, vector{}, vector{}
	t.slot = Scatter(uint64(r.now / 3600 % 24 / slotHours))
	if r.from != 0 {
		t.longOf = append(t.longOf, weighed{categoryKey{kindCountry, r.from}.hash(), 1})
	}
	if b != nil {
		r.prepareLong(b)
		r.prepareLate()
	}
	for _, p := range t.longOf {
		t.longSum.add(p.weight, t.in.row(p.hash))
	}
	for _, p := range t.lateOf {
		t.lateSum.add(p.weight, t.late.row(p.hash))
	}
	for _, p := range t.itemOf {
		t.itemSum.add(p.weight, t.itemIn.row(p.hash))
	}
	if len(t.itemOf) > 0 {
		t.lastItem = *t.itemLast.row(t.itemOf[0].hash)
	}
}

// prepareLong lists the bettor's affinities as shares of his bets.
func (r *ranking) prepareLong(b *Bettor) {
	fade := 1.0
	if r.now > b.at {
		fade = state.Decay(r.now-b.at, state.TasteHalfLife)
	}
	share := float32(fade / (b.weight*fade + longPrior))
	for i, id := range b.tastes[:b.ends[kindTeam]] {
		r.taste.longOf = append(r.taste.longOf, weighed{r.categories[id].hash, b.weights[i] * share})
	}
}

// prepareLate lists the bettor's last events and their categories.
func (r *ranking) prepareLate() {
	t := &r.taste
	all, weight, item := float32(latePrior), float32(1), float32(1)
	for range r.past {
		all += weight
		weight *= lateFade
	}
	weight = 1 / all
	for k, slot := range r.past {
		e := &r.entries[slot]
		if k < itemEvents {
			t.itemOf = append(t.itemOf, weighed{e.ref, item})
			item *= itemFade
		}
		if e.event != nil {
			r.addLate(e.sport, weight)
			r.addLate(e.league, weight)
			for _, team := range e.teams {
				r.addLate(team, weight/float32(len(e.teams)))
			}
		}
		weight *= lateFade
	}
}

func (r *ranking) addLate(id int32, weight float32) {
	t, l := &r.taste, &r.lately[id]
	if l.generation != r.generation {
		*l = lately{r.generation, int32(len(t.lateOf))}
		t.lateOf = append(t.lateOf, weighed{r.categories[id].hash, 0})
	}
	t.lateOf[l.in].weight += weight
}

// moved is how differently the bettor chose of late from the long run, 0..2.
func (t *taste) moved() float32 {
	if len(t.lateOf) == 0 {
		return 0
	}
	return 1 - t.longSum.cosine(&t.lateSum)
}

// affine is what the bettor's taste says of a category.
func (r *ranking) affine(id int32) *affine {
	a := &r.affines[id]
	if a.generation == r.generation {
		return a
	}
	t, c := &r.taste, &r.categories[id]
	out := t.out.row(c.hash)
	*a = affine{generation: r.generation, long: t.longSum.dot(out), late: t.lateSum.dot(out)}
	hashes, n := r.biasesOf(c)
	for _, hash := range hashes[:n] {
		a.bias += t.biases.value(hash)
	}
	r.asked = append(r.asked, id)
	return a
}

// biasesOf lists the hashes of a category's biases: its own, that with the bettor's
// country, and, of a sport, that with the part of the day.
func (r *ranking) biasesOf(c *category) (hashes [3]uint64, n int) {
	hashes[0], n = c.hash>>32, 1
	if c.key.kind != kindTeam && r.from != 0 {
		hashes[n] = Scatter(c.hash ^ uint64(r.from))
		n++
	}
	if c.key.kind == kindSport {
		hashes[n] = Scatter(c.hash ^ r.taste.slot)
		n++
	}
	return hashes, n
}

// teamShare is what each of an event's teams counts: two count as one each, more as
// two together.
func teamShare(teams int) float32 { return min(1, 2/float32(max(1, teams))) }

// fillTaste computes the terms of the learnt vectors.
func (r *ranking) fillTaste(e *entry, t *[Terms]float32) {
	sport, league, share := r.affine(e.sport), r.affine(e.league), teamShare(len(e.teams))
	long, late, bias := sport.long+league.long, sport.late+league.late, sport.bias+league.bias
	for _, team := range e.teams {
		a := r.affine(team)
		long += share * a.long
		late += share * a.late
		bias += share * a.bias
	}
	if r.cold {
		bias += r.taste.biases.value(coldHash(e.ref))
	}
	t[termTaste], t[termLateTaste], t[termBias] = long, late, bias
	if len(r.taste.itemOf) > 0 {
		row := r.taste.itemOut.row(e.ref)
		t[termAlike], t[termAlikeLast] = r.taste.itemSum.dot(row), r.taste.lastItem.dot(row)
	}
}
