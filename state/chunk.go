package state

import "tipoff/wire"

// Chunk is a table value of its own: some of the legs that wait for an event, so
// that a flood of early bets does not make the event's own value grow. The legs
// stay after the release, so that it can be repeated.
type Chunk struct {
	Epoch    uint64
	Released bool
	Legs     []Leg
}

// Wait adds a leg, unless it waits here already.
func (c *Chunk) Wait(leg *Leg) {
	for i := range c.Legs {
		if c.Legs[i].UserID == leg.UserID && c.Legs[i].Coupon == leg.Coupon && c.Legs[i].Index == leg.Index {
			return
		}
	}
	waiting := *leg
	waiting.History = nil // it is counted already
	c.Legs = append(c.Legs, waiting)
}

// Marshal encodes the chunk for the table.
func (c *Chunk) Marshal() []byte {
	w := make(wire.Writer, 0, 64*len(c.Legs)+8)
	w.Byte(TableVersion)
	w.Uint(c.Epoch)
	w.Flag(c.Released)
	w.Uint(uint64(len(c.Legs)))
	for i := range c.Legs {
		w.Raw(MarshalMessage(&c.Legs[i]))
	}
	return w
}

// UnmarshalChunk decodes a chunk of the fixtures' table.
func UnmarshalChunk(value []byte) (*Chunk, error) {
	r := wire.NewReader(value)
	if version := r.Byte(); version == 0 || version > TableVersion {
		return nil, wire.ErrUnreadable
	}
	c := &Chunk{Epoch: r.Uint(), Released: r.Flag()}
	for range r.Count(1) {
		leg, err := unmarshalLeg(r.Raw())
		if err != nil {
			return nil, err
		}
		c.Legs = append(c.Legs, *leg)
	}
	return c, r.End()
}
