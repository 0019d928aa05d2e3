package broker

import (
	"context"
	"slices"

	"tipoff"
)

// Place is where a record stood that something outside Kafka has.
type Place struct {
	Topic     string
	Partition int32
	Sequence  int64 // see [tipoff.Sequence]
}

// histories are those of the partitions that places are on.
func (c *Cluster) histories(ctx context.Context, places []Place) (map[claimed]*history, error) {
	partitions := map[string][]int32{}
	for _, p := range places {
		if !slices.Contains(partitions[p.Topic], p.Partition) {
			partitions[p.Topic] = append(partitions[p.Topic], p.Partition)
		}
	}
	return c.epochs.read(ctx, partitions)
}

// Gone lists those of the places whose record the log has no more.
func (c *Cluster) Gone(ctx context.Context, places []Place) (gone []Place, err error) {
	histories, err := c.histories(ctx, places)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		h := histories[claimed{p.Topic, p.Partition}]
		if _, isCut := h.cut(tipoff.SequenceEpoch(p.Sequence), tipoff.SequenceOffset(p.Sequence)+1); isCut {
			gone = append(gone, p)
		}
	}
	return gone, nil
}

// Ahead lists which of the places are not before the next one of their log: the
// log is an older copy of itself, under an epoch that it had before. epoch is the highest
// one of those records; -1: there are none.
func (c *Cluster) Ahead(ctx context.Context, places []Place) (lost []Loss, epoch int32, err error) {
	epoch = -1
	histories, err := c.histories(ctx, places)
	if err != nil {
		return nil, epoch, err
	}
	for _, p := range places {
		h := histories[claimed{p.Topic, p.Partition}]
		if p.Sequence < tipoff.Sequence(h.current(), h.end) {
			continue
		}
		epoch = max(epoch, tipoff.SequenceEpoch(p.Sequence))
		lost = append(lost, Loss{p.Topic, p.Partition, h.end, max(h.end, tipoff.SequenceOffset(p.Sequence)) + 1})
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
	if err := e.writeAll(); err != nil {
		return err
	}
	return e.raise(e.look())
}
