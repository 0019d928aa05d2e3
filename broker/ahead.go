package broker

import (
	"context"

	"tipoff"
)

// Newest is the newest record that something outside Kafka has of a partition.
type Newest struct {
	Topic     string
	Partition int32
	Sequence  int64 // see [tipoff.Sequence]
}

// Ahead lists which of the newest records are not before the next one of their log: the
// log is an older copy of itself, under an epoch that it had before. epoch is the highest
// one of those records; -1: there are none.
func (c *Cluster) Ahead(ctx context.Context, newest []Newest) (lost []Loss, epoch int32, err error) {
	epoch = -1
	for _, n := range newest {
		of := claimed{n.Topic, n.Partition}
		histories, err := c.epochs.read(ctx, map[string][]int32{n.Topic: {n.Partition}})
		if err != nil {
			return nil, 0, err
		}
		h := histories[of]
		if n.Sequence < tipoff.Sequence(h.current(), h.end) {
			continue
		}
		epoch = max(epoch, tipoff.SequenceEpoch(n.Sequence))
		lost = append(lost, Loss{n.Topic, n.Partition, h.end, max(h.end, tipoff.SequenceOffset(n.Sequence)) + 1})
	}
	return lost, epoch, nil
}

// Lost notes losses that something outside Kafka shows.
func (c *Cluster) Lost(losses []Loss) {
	for _, l := range losses {
		c.lost(claimed{l.Topic, l.Partition}, l.From, l.To)
	}
}

// Outdate makes all that is appended from now on newer than what was appended under an
// epoch, and keeps in mind what the log has lost.
func (e *Embedded) Outdate(epoch int32, lost []Loss) error { return e.ends.outdate(epoch, lost) }

func (e *ends) outdate(epoch int32, lost []Loss) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept.Epoch = max(e.kept.Epoch, epoch+1)
	e.kept.Losses = append(e.kept.Losses, lost...)
	if err := e.write(true); err != nil {
		return err
	}
	return e.raise(e.look())
}
