package state

import "tipoff/wire"

// Marshal encodes the fixture for the table.
func (f *Fixture) Marshal() []byte {
	return wire.Write(f.write)
}

func (f *Fixture) write(w *wire.Writer) {
	w.Byte(TableVersion)
	w.Uint(f.Epoch)
	w.Flag(f.Known)
	if !f.Known {
		f.writeUnposted(w)
		return
	}
	writeEvent(w, &f.Event)
	WritePosition(w, f.First)
	w.Uint(f.Covered)
	WritePosition(w, f.Events)
	writeAllApplied(w, f.Applied)
	w.Uint(f.LegCount)
	w.Int(f.FirstBet)
	writeFaded(w, f)
	writeOutcomes(w, f.Outcomes)
	w.Uint(uint64(len(f.Neighbours)))
	for _, n := range f.Neighbours {
		w.Ref(n.Event)
		w.Uint(n.Weight)
	}
	w.Uint(f.Waiters)
	w.Uint(f.Gone)
}

func writeAllApplied(w *wire.Writer, all []Applied) {
	w.Uint(uint64(len(all)))
	for i := range all {
		writeApplied(w, &all[i])
	}
}

func readAllApplied(r *wire.Reader) (all []Applied) {
	if n := r.Count(7); n > 0 {
		all = make([]Applied, n)
	}
	for i := range all {
		all[i] = readApplied(r)
	}
	return all
}

// writeFaded writes the counts of bets that fade.
func writeFaded(w *wire.Writer, f *Fixture) {
	writeDecayed(w, f.Popularity)
	for _, d := range f.Paces {
		writeDecayed(w, d)
	}
}

func readFaded(r *wire.Reader, f *Fixture) {
	f.Popularity = readDecayed(r)
	for i := range f.Paces {
		f.Paces[i] = readDecayed(r)
	}
}

func writeOutcomes(w *wire.Writer, outcomes []OutcomeBets) {
	w.Uint(uint64(len(outcomes)))
	for _, o := range outcomes {
		w.Text(o.Market)
		w.Text(o.Outcome)
		w.Uint(o.Bets)
	}
}

func readOutcomes(r *wire.Reader) (outcomes []OutcomeBets) {
	if n := r.Count(3); n > 0 {
		outcomes = make([]OutcomeBets, n)
	}
	for i := range outcomes {
		outcomes[i] = OutcomeBets{r.Text(), r.Text(), r.Uint()}
	}
	return outcomes
}

// UnmarshalFixture decodes a value of the fixtures' table, but not a [Chunk].
func UnmarshalFixture(value []byte) (*Fixture, error) {
	r := wire.NewReader(value)
	version := r.Byte()
	if version == 0 || version > TableVersion {
		return nil, wire.ErrUnreadable
	}
	f := &Fixture{Epoch: r.Uint(), Known: r.Flag()}
	switch {
	case f.Known:
		f.Event = readEvent(r, version)
		f.First = ReadPosition(r)
		if version > 2 {
			f.Covered = r.Uint()
		}
	case version > 2:
		f.readUnposted(r, version)
		return f, r.End()
	default:
		f.Patch = readPatch(r, version)
	}
	f.Events = ReadPosition(r)
	f.Applied = readAllApplied(r)
	f.LegCount = r.Uint()
	if version > 1 {
		f.FirstBet = r.Int()
		readFaded(r, f)
	} else if f.Popularity = readDecayed(r); f.LegCount > 0 { // which did not say; this is the newest one
		f.FirstBet = f.Popularity.At
	}
	f.Outcomes = readOutcomes(r)
	if n := r.Count(7); n > 0 {
		f.Neighbours = make([]Neighbour, n)
		for i := range f.Neighbours {
			f.Neighbours[i] = Neighbour{r.Ref(), r.Uint()}
		}
	}
	f.Waiters = r.Uint()
	if version > 2 {
		f.Gone = r.Uint()
	}
	return f, r.End()
}
