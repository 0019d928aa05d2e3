package state

import (
	"cmp"
	"slices"

	"tipoff"
	"tipoff/wire"
)

// Position is a place on one partition of a topic: how far the state that holds it
// has come. Source tells one life of a topic from another, as a topic that was
// created again begins at offset 0.
type Position struct {
	Source uint32 // a hash of the topic's id; 0: nothing was applied yet
	Offset int64  // with the leader epoch above it: a [tipoff.Sequence]
}

// Advance moves p to next and says whether next is new; false means that the
// state already holds the record at next.
func (p *Position) Advance(next Position) bool {
	if p.Source == next.Source && !tipoff.SequenceBefore(p.Offset, next.Offset) {
		return false
	}
	*p = next
	return true
}

// Same says whether both are the place of one record. An older program wrote places down
// without their epoch.
func (p Position) Same(other Position) bool {
	return p.Source == other.Source && tipoff.SequenceSame(p.Offset, other.Offset)
}

func WritePosition(w *wire.Writer, p Position) {
	w.Word32(p.Source)
	w.Int(p.Offset)
}

func ReadPosition(r *wire.Reader) Position { return Position{Source: r.Word32(), Offset: r.Int()} }

// Cause is the identity of the coupon record that a leg follows from, so that a
// fixture counts the leg once however often it is sent: the record's position and,
// as a coupon has several legs, which of them it is.
type Cause struct {
	Partition int32
	Position
	Index int // of the selection in its coupon
	// Floor says that every leg of a record before it, on this partition, has been
	// acknowledged when this one was sent: whoever reads this leg has had them all.
	Floor int64
}

// CauseAt is the cause that the record at p is, when all before it are finished.
func CauseAt(p Position) Cause { return Cause{Position: p, Floor: p.Offset} }

// finished says whether all that follows from a record of the partition has been
// acknowledged. Records of a former topic are not read again.
func (c *Cause) finished(record Position) bool {
	return record.Source != c.Source || tipoff.SequenceBefore(record.Offset, c.Floor)
}

func writeCause(w *wire.Writer, c Cause) {
	w.Uint(uint64(c.Partition))
	WritePosition(w, c.Position)
	w.Uint(uint64(c.Index))
	w.Int(c.Floor)
}

func readCause(r *wire.Reader) Cause {
	return Cause{Partition: int32(r.Uint()), Position: ReadPosition(r), Index: int(r.Uint()), Floor: r.Int()}
}

// Applied is which legs of one partition of coupons a fixture has counted: all
// before the floor, and those listed. Its places are sequences, as in [Position]. Legs
// may come in any order, with gaps that are filled later; a list is enough, as a floor
// follows close behind. A topic that was created again has an Applied of its own, as legs
// of the former one may come again.
type Applied struct {
	Partition int32
	Source    uint32
	Floor     int64
	Legs      []AppliedLeg // from the floor on, in order
}

// AppliedLeg is one leg: the offset of its coupon, and its index there.
type AppliedLeg struct {
	Offset int64
	Index  int
}

func (a AppliedLeg) compare(b AppliedLeg) int {
	return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Index, b.Index))
}

// find returns where a leg is listed, or belongs. An older program listed it without
// its epoch.
func (a *Applied) find(c *Cause) (i int, known bool) {
	if i, known := slices.BinarySearchFunc(a.Legs, AppliedLeg{tipoff.SequenceOffset(c.Offset), c.Index}, AppliedLeg.compare); known {
		return i, true
	}
	return slices.BinarySearchFunc(a.Legs, AppliedLeg{c.Offset, c.Index}, AppliedLeg.compare)
}

// has says whether a leg is counted.
func (a *Applied) has(c *Cause) bool {
	_, known := a.find(c)
	return known || tipoff.SequenceBefore(c.Offset, a.Floor)
}

// add counts a leg, and returns whether it is new.
func (a *Applied) add(c Cause) bool {
	i, known := a.find(&c)
	isNew := !known && !tipoff.SequenceBefore(c.Offset, a.Floor)
	if isNew {
		a.Legs = slices.Insert(a.Legs, i, AppliedLeg{c.Offset, c.Index})
	}
	if tipoff.SequenceBefore(a.Floor, c.Floor) {
		a.Floor = c.Floor
		a.Legs = slices.DeleteFunc(a.Legs, func(leg AppliedLeg) bool { return tipoff.SequenceBefore(leg.Offset, a.Floor) })
	}
	return isNew
}

func writeApplied(w *wire.Writer, a *Applied) {
	w.Uint(uint64(a.Partition))
	w.Word32(a.Source)
	w.Int(a.Floor)
	w.Uint(uint64(len(a.Legs)))
	at := a.Floor
	for _, leg := range a.Legs {
		w.Uint(uint64(leg.Offset - at))
		w.Uint(uint64(leg.Index))
		at = leg.Offset
	}
}

func readApplied(r *wire.Reader) Applied {
	a := Applied{Partition: int32(r.Uint()), Source: r.Word32(), Floor: r.Int()}
	at := a.Floor
	for range r.Count(2) {
		at += int64(r.Uint())
		a.Legs = append(a.Legs, AppliedLeg{at, int(r.Uint())})
	}
	return a
}
