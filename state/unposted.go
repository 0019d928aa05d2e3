package state

import (
	"tipoff/wire"
)

// What is in the value of a fixture that was never posted. Most are bet on once, in
// posts that may name hundreds of thousands of them, so what follows from the rest is
// left out.
const (
	unpostedChanged byte = 1 << iota // by a patch
	unpostedFaded                    // bets of more than one moment
	unpostedWeighed                  // pairs other than those of one leg
	unpostedGone                     // legs have expired
)

// isChanged says whether a patch came before the event.
func (f *Fixture) isChanged() bool { return f.Events != Position{} }

// isOfOneMoment says whether all bets were made in the same second.
func (f *Fixture) isOfOneMoment() bool {
	all := Decayed{float64(f.LegCount), f.FirstBet}
	for _, d := range f.Paces {
		if d != all {
			return false
		}
	}
	return f.Popularity == all
}

// isOfOneLeg says whether the pairs weigh what those of one leg do.
func (f *Fixture) isOfOneLeg() bool {
	for i, n := range f.Neighbours {
		if i >= len(pairWeights) || n.Weight != pairWeights[i] {
			return false
		}
	}
	return true
}

func bitIf(bit byte, set bool) byte {
	if set {
		return bit
	}
	return 0
}

func (f *Fixture) writeUnposted(w *wire.Writer) {
	has := bitIf(unpostedChanged, f.isChanged()) | bitIf(unpostedFaded, !f.isOfOneMoment()) |
		bitIf(unpostedWeighed, !f.isOfOneLeg()) | bitIf(unpostedGone, f.Gone > 0)
	w.Byte(has)
	w.Byte(byte(f.Step))
	w.Int(f.Waited) // up to here [DueFixture] reads
	if has&unpostedChanged != 0 {
		writePatch(w, &f.Patch)
		WritePosition(w, f.Events)
	}
	writeAllApplied(w, f.Applied)
	w.Uint(f.LegCount)
	w.Int(f.FirstBet)
	if has&unpostedFaded != 0 {
		writeFaded(w, f)
	}
	writeOutcomes(w, f.Outcomes)
	w.Uint(uint64(len(f.Neighbours)))
	for _, n := range f.Neighbours {
		w.Ref(n.Event)
		if has&unpostedWeighed != 0 {
			w.Uint(n.Weight)
		}
	}
	w.Uint(f.Waiters)
	if has&unpostedGone != 0 {
		w.Uint(f.Gone)
	}
}

func (f *Fixture) readUnposted(r *wire.Reader, version byte) {
	has := r.Byte()
	f.Step, f.Waited = Step(r.Byte()), r.Int()
	if has&unpostedChanged != 0 {
		f.Patch = readPatch(r, version)
		f.Events = ReadPosition(r)
	}
	f.Applied = readAllApplied(r)
	f.LegCount, f.FirstBet = r.Uint(), r.Int()
	if has&unpostedFaded != 0 {
		readFaded(r, f)
	} else {
		f.Popularity = Decayed{float64(f.LegCount), f.FirstBet}
		for i := range f.Paces {
			f.Paces[i] = f.Popularity
		}
	}
	f.Outcomes = readOutcomes(r)
	if n := r.Count(6); n > 0 {
		f.Neighbours = make([]Neighbour, n)
		for i := range f.Neighbours {
			if f.Neighbours[i].Event = r.Ref(); has&unpostedWeighed != 0 {
				f.Neighbours[i].Weight = r.Uint()
			} else if i < len(pairWeights) {
				f.Neighbours[i].Weight = pairWeights[i]
			}
		}
	}
	f.Waiters = r.Uint()
	if has&unpostedGone != 0 {
		f.Gone = r.Uint()
	}
}
