package state

import "tipoff/wire"

// Chunk is a table value of its own: some of the legs that wait for an event, so
// that a flood of early bets does not make the event's own value grow. The legs
// stay after the release, so that it can be repeated.
type Chunk struct {
	Epoch    uint64
	Released bool
	Expired  Position // of the record, on the loop topic, by which its legs became dead letters
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

// HasExpired says whether the legs are dead letters.
func (c *Chunk) HasExpired() bool { return c.Expired != Position{} }

// Marshal encodes the chunk for the table.
func (c *Chunk) Marshal() []byte {
	w := make(wire.Writer, 0, 64*len(c.Legs)+8)
	w.Byte(TableVersion)
	w.Uint(c.Epoch)
	w.Flag(c.Released)
	w.Flag(c.HasExpired())
	if c.HasExpired() {
		WritePosition(&w, c.Expired)
	}
	w.Uint(uint64(len(c.Legs)))
	for i := range c.Legs {
		w.Raw(MarshalMessage(&c.Legs[i]))
		w.Int(c.Legs[i].Sent)
	}
	return w
}

// UnmarshalChunk decodes a chunk of the fixtures' table.
func UnmarshalChunk(value []byte) (*Chunk, error) {
	r := wire.NewReader(value)
	version := r.Byte()
	if version == 0 || version > TableVersion {
		return nil, wire.ErrUnreadable
	}
	c := &Chunk{Epoch: r.Uint(), Released: r.Flag()}
	if version > 2 && r.Flag() {
		c.Expired = ReadPosition(r)
	}
	for range r.Count(1) {
		leg, err := unmarshalLeg(r.Raw())
		if err != nil {
			return nil, err
		}
		if leg.Sent = leg.Offset; version > 2 {
			leg.Sent = r.Int()
		}
		c.Legs = append(c.Legs, *leg)
	}
	return c, r.End()
}
