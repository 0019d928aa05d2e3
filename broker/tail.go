package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// tail is the end of a log, and the leader epoch under which it grows.
type tail struct {
	epoch int32
	end   int64
}

func endsOf(tails map[int32]tail) map[int32]int64 {
	ends := map[int32]int64{}
	for p, t := range tails {
		ends[p] = t.end
	}
	return ends
}

// tails are those of a topic's partitions; at sarama.OffsetOldest they are where the
// logs begin.
func (c *Cluster) tails(topic string, at int64) (map[int32]tail, error) {
	asked := map[int32]int64{}
	for p := range c.partitions(topic) {
		asked[int32(p)] = at
	}
	got, err := c.admin.ListOffsets(map[string]map[int32]int64{topic: asked}, nil)
	if err != nil {
		return nil, fmt.Errorf("offsets of topic %s: %w", topic, err)
	}
	tails := map[int32]tail{}
	for p, result := range got[topic] {
		if result.Err != nil && !errors.Is(result.Err, sarama.ErrNoError) {
			return nil, fmt.Errorf("offset of topic %s, partition %d: %w", topic, p, result.Err)
		}
		tails[p] = tail{result.LeaderEpoch, result.Offset}
	}
	return tails, nil
}

// checkTails compares the ends of the table's logs with those of the last time. Where a
// log has lost its end, the view is started again and reads that partition whole: it
// may have values that are gone, and may miss some that came in their place.
func (v *View) checkTails(ctx context.Context, now map[int32]tail) error {
	wasCut := false
	for p, is := range now {
		was, known := v.tails[p]
		if !known || is.epoch == was.epoch && is.end >= was.end {
			v.tails[p] = is
			continue
		}
		histories, err := v.cluster.epochs.read(ctx, map[string][]int32{v.table: {p}})
		if err != nil {
			return err
		}
		c, applied := claimed{v.table, p}, v.applied(p)
		at, isCut := histories[c].cut(was.epoch, was.end)
		if isCut {
			v.cluster.lost(c, at, was.end)
		}
		if isCut || at < applied { // which is of the new leader, or is gone
			v.mu.Lock()
			delete(v.offsets, p)
			v.mu.Unlock()
			wasCut = true
		}
		v.tails[p] = is
	}
	if wasCut {
		v.caught.Store(false)
		v.endLife()
	}
	return nil
}

// applied is up to where the view has applied the partition's values.
func (v *View) applied(p int32) int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	at := v.offsets[p]
	if at == nil {
		return 0
	}
	offset, _ := at.GetOffset(-1)
	return offset + 1
}

// endLife ends the present life of the view, so that another one begins.
func (v *View) endLife() {
	if end := v.end.Load(); end != nil {
		(*end)()
	}
}
