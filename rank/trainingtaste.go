package rank

const (
	vectorRate = 0.12
	biasRate   = 0.05
	leastPull  = 1e-5 // a weaker slope of the loss moves nothing

	// squareFade lets a row forget how far it was moved long ago, so that it goes on
	// following what changes.
	squareFade = 0.9999
)

// learnTastes takes a step of all vectors and biases, by the slopes of the list;
// biases count as much as their term.
func (r *ranking) learnTastes(biases float32) {
	t := &r.taste
	var items, pulled vector // what the bettor's vectors are pulled by
	itemToward := t.itemSum
	itemToward.add(1, &t.lastItem)
	for i := range r.scored {
		l := &r.scored[i]
		e := &r.entries[l.slot]
		// All slopes count, be they small: they add up to 0, so that what a category
		// is pulled by is 0 where all events are of it.
		r.affine(e.sport).pull += l.slope
		r.affine(e.league).pull += l.slope
		for _, team := range e.teams {
			r.affine(team).pull += l.slope * teamShare(len(e.teams))
		}
		if l.slope > -leastPull && l.slope < leastPull {
			continue
		}
		if len(t.itemOf) > 0 {
			items.add(l.slope, t.itemOut.row(e.ref))
			t.itemOut.step(e.ref, vectorRate, l.slope, &itemToward)
		}
		if r.cold {
			t.biases.step(coldHash(e.ref), biasRate, l.slope*biases)
		}
	}
	r.learnCategories(biases, &pulled)
	for _, p := range t.longOf {
		t.in.step(p.hash, vectorRate, p.weight, &pulled)
	}
	for _, p := range t.lateOf {
		t.late.step(p.hash, vectorRate, p.weight, &pulled)
	}
	for _, p := range t.itemOf {
		t.itemIn.step(p.hash, vectorRate, p.weight, &items)
	}
	if len(t.itemOf) > 0 {
		t.itemLast.step(t.itemOf[0].hash, vectorRate, 1, &items)
	}
	if square := pulled.dot(&pulled) / dims; square > leastPull*leastPull {
		t.everyoneSquares = t.everyoneSquares*squareFade + square
		t.everyone.add(-vectorRate/(root(t.everyoneSquares)+1e-4), &pulled)
	}
}

// learnCategories takes a step of the categories' vectors and biases, and adds up
// what their events pull the bettor's vectors by.
func (r *ranking) learnCategories(biases float32, pulled *vector) {
	t := &r.taste
	toward := t.longSum
	toward.add(1, &t.lateSum)
	for _, id := range r.asked {
		a, c := &r.affines[id], &r.categories[id]
		pulled.add(a.pull, t.out.row(c.hash))
		t.out.step(c.hash, vectorRate, a.pull, &toward)
		hashes, n := r.biasesOf(c)
		for _, hash := range hashes[:n] {
			t.biases.step(hash, biasRate, a.pull*biases)
		}
	}
}

// step moves a row against the slope of the loss, scale times direction, by AdaGrad
// with one sum of squares a row.
func (t *vectorTable) step(hash uint64, rate, scale float32, direction *vector) {
	square := scale * scale * direction.dot(direction) / dims
	if square < leastPull*leastPull {
		return
	}
	i := t.index(hash)
	t.squares[i] = t.squares[i]*squareFade + square
	t.rows[i].add(-rate*scale/(root(t.squares[i])+1e-4), direction)
}

func (t *biasTable) step(hash uint64, rate, slope float32) {
	if slope > -leastPull && slope < leastPull {
		return
	}
	i := t.index(hash)
	t.squares[i] += slope * slope
	t.values[i] -= rate * slope / (root(t.squares[i]) + 1e-3)
}
