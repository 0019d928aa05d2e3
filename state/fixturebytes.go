package state

import "tipoff/wire"

// Marshal encodes the fixture for the table.
func (f *Fixture) Marshal() []byte {
	w := make(wire.Writer, 0, 512)
	w.Byte(TableVersion)
	w.Uint(f.Epoch)
	w.Flag(f.Known)
	if f.Known {
		writeEvent(&w, &f.Event)
		WritePosition(&w, f.First)
		w.Uint(f.Covered)
	} else {
		writePatch(&w, &f.Patch)
	}
	WritePosition(&w, f.Events)
	w.Uint(uint64(len(f.Applied)))
	for i := range f.Applied {
		writeApplied(&w, &f.Applied[i])
	}
	w.Uint(f.LegCount)
	w.Int(f.FirstBet)
	writeDecayed(&w, f.Popularity)
	for _, d := range f.Paces {
		writeDecayed(&w, d)
	}
	w.Uint(uint64(len(f.Outcomes)))
	for _, o := range f.Outcomes {
		w.Text(o.Market)
		w.Text(o.Outcome)
		w.Uint(o.Bets)
	}
	w.Uint(uint64(len(f.Neighbours)))
	for _, n := range f.Neighbours {
		w.Ref(n.Event)
		w.Uint(n.Weight)
	}
	w.Uint(f.Waiters)
	return w
}

// UnmarshalFixture decodes a value of the fixtures' table, but not a [Chunk].
func UnmarshalFixture(value []byte) (*Fixture, error) {
	r := wire.NewReader(value)
	version := r.Byte()
	if version == 0 || version > TableVersion {
		return nil, wire.ErrUnreadable
	}
	f := &Fixture{Epoch: r.Uint(), Known: r.Flag()}
	if f.Known {
		f.Event = readEvent(r, version)
		f.First = ReadPosition(r)
		if version > 2 {
			f.Covered = r.Uint()
		}
	} else {
		f.Patch = readPatch(r, version)
	}
	f.Events = ReadPosition(r)
	for range r.Count(7) {
		f.Applied = append(f.Applied, readApplied(r))
	}
	f.LegCount = r.Uint()
	if version > 1 {
		f.FirstBet = r.Int()
	}
	f.Popularity = readDecayed(r)
	if version == 1 && f.LegCount > 0 { // which did not say; this is the newest one
		f.FirstBet = f.Popularity.At
	}
	if version > 1 {
		for i := range f.Paces {
			f.Paces[i] = readDecayed(r)
		}
	}
	for range r.Count(3) {
		f.Outcomes = append(f.Outcomes, OutcomeBets{r.Text(), r.Text(), r.Uint()})
	}
	if n := r.Count(7); n > 0 {
		f.Neighbours = make([]Neighbour, n)
		for i := range f.Neighbours {
			f.Neighbours[i] = Neighbour{r.Ref(), r.Uint()}
		}
	}
	f.Waiters = r.Uint()
	return f, r.End()
}
