package score

// Position is a place on one partition of a topic: how far the state that holds
// it has come. Source tells one life of a topic from another, as a topic that was
// made anew begins at offset 0 again.
type Position struct {
	Source uint32 // a hash of the topic's id; 0: nothing was applied yet
	Offset int64
}

// Advance moves p to next and says whether next is new; false means that the
// state already holds the record at next.
func (p *Position) Advance(next Position) bool {
	if p.Source == next.Source && next.Offset <= p.Offset {
		return false
	}
	*p = next
	return true
}

func (w *wire) position(p Position) {
	w.word32(p.Source)
	w.int(p.Offset)
}

func (u *unwire) position() Position { return Position{Source: u.word32(), Offset: u.int()} }

// Cause is the identity of the coupon record that a leg follows from, so that a
// fixture counts the leg once however often it is sent: the record's place and,
// as a coupon has several legs, which of them it is.
type Cause struct {
	Partition int32
	Position
	Index int // of the selection in its coupon
}

// after says whether c follows applied on the same partition.
func (c Cause) after(applied Cause) bool {
	if c.Source != applied.Source || c.Offset != applied.Offset {
		return c.Source != applied.Source || c.Offset > applied.Offset
	}
	return c.Index > applied.Index
}

func (w *wire) cause(c Cause) {
	w.uint(uint64(c.Partition))
	w.position(c.Position)
	w.uint(uint64(c.Index))
}

func (u *unwire) cause() Cause {
	return Cause{Partition: int32(u.uint()), Position: u.position(), Index: int(u.uint())}
}
