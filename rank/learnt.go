package rank

import (
	"tipoff/state"
	"tipoff/wire"
)

// Learnt is what the learner's table holds of a company: its model, how well it did
// of late, and which coupons it has learnt from.
type Learnt struct {
	Epoch uint64 // of the processor that wrote this value
	Seen  []Seen // by partition and source
	Live  Live
	Model *Model
}

// Seen is the last coupon of one partition that was learnt from.
type Seen struct {
	Partition int32
	state.Position
}

// NewLearnt is what is learnt before the first coupon.
func NewLearnt() *Learnt { return &Learnt{Model: NewModel()} }

// Advance adds a coupon and returns whether it is new: one that is older than another
// of its partition has been learnt from, or is passed over.
func (l *Learnt) Advance(c state.Cause) bool {
	for i := range l.Seen {
		if s := &l.Seen[i]; s.Partition == c.Partition && s.Source == c.Source {
			return s.Position.Advance(c.Position)
		}
	}
	l.Seen = append(l.Seen, Seen{c.Partition, c.Position})
	return true
}

// Marshal encodes it for the table.
func (l *Learnt) Marshal() []byte {
	w := make(wire.Writer, 0, 32<<10)
	w.Byte(state.TableVersion)
	w.Uint(l.Epoch)
	w.Uint(uint64(len(l.Seen)))
	for _, s := range l.Seen {
		w.Uint(uint64(s.Partition))
		state.WritePosition(&w, s.Position)
	}
	writeLive(&w, &l.Live)
	w.Raw(l.Model.Marshal())
	return w
}

// UnmarshalLearnt decodes a value of the learner's table. A model of other terms than
// today's is not read: the company begins with a new one.
func UnmarshalLearnt(value []byte) (*Learnt, error) {
	r := wire.NewReader(value)
	version := r.Byte()
	if version < 2 || version > state.TableVersion {
		return nil, wire.ErrUnreadable
	}
	l := &Learnt{Epoch: r.Uint()}
	for range r.Count(6) {
		l.Seen = append(l.Seen, Seen{int32(r.Uint()), state.ReadPosition(r)})
	}
	l.Live = readLive(r, version)
	model := r.Raw()
	if err := r.End(); err != nil {
		return nil, err
	}
	var err error
	if l.Model, err = UnmarshalModel(model); err != nil {
		l.Model = NewModel()
	}
	return l, nil
}
