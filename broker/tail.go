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

// tails are those of some of a topic's partitions; at sarama.OffsetOldest they are where
// the logs begin.
func (c *Cluster) tails(ctx context.Context, topic string, partitions []int32, at int64) (map[int32]tail, error) {
	asked := map[int32]int64{}
	for _, p := range partitions {
		asked[p] = at
	}
	got, err := inTime(ctx, func() (map[string]map[int32]*sarama.OffsetResult, error) {
		return c.admin.ListOffsets(map[string]map[int32]int64{topic: asked}, nil)
	})
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

// A view reads each partition from one leader at a time: one life of it ends before
// anything of another leader is applied, as that one's log may lack what was applied, or
// have other values in its place. Then the next life compares first.

// errNewLeader ends a life of a view.
var errNewLeader = errors.New("a partition has another leader")

// compare sees, before a life begins, whether the logs have all that was applied. Of one
// that has lost some of it the view reads all again: it may have values that are gone, and
// may miss those in their place.
func (v *View) compare(ctx context.Context, client sarama.Client) error {
	known := map[int32]int32{} // before the histories, which so are no older
	asked := map[string][]int32{}
	for _, p := range v.followed() {
		if _, epoch, err := client.LeaderAndEpoch(v.table, p); err == nil {
			known[p] = epoch
		}
		asked[v.table] = append(asked[v.table], p)
	}
	histories, err := v.cluster.epochs.read(ctx, asked)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range asked[v.table] {
		c := claimed{v.table, p}
		h, was, applied := histories[c], v.leaders[p], v.appliedOf(p)
		if h.current() < known[p] {
			return fmt.Errorf("%s, partition %d: its new leader does not answer yet", v.table, p)
		}
		v.leaders[p], v.behinds[p] = h.current(), h.end
		if applied == 0 {
			continue
		}
		if at, isCut := h.cut(was, applied); isCut {
			v.cluster.lost(c, at, applied)
			delete(v.offsets, p)
			v.caught.Store(false)
		}
	}
	return nil
}

// isOfLeader says whether all that the life reads of a partition is of one leader still.
func (v *View) isOfLeader(client sarama.Client, partition int32) bool {
	_, epoch, err := client.LeaderAndEpoch(v.table, partition)
	v.mu.Lock()
	defer v.mu.Unlock()
	return err == nil && epoch <= v.leaders[partition]
}

// checkTails ends the life where a partition has another leader, of which nothing may
// have come yet.
func (v *View) checkTails(now map[int32]tail) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for p, is := range now {
		if was, reads := v.leaders[p]; reads && is.epoch > was {
			v.endLife()
			return
		}
	}
}

// appliedOf is up to where the view has applied the partition's values.
func (v *View) appliedOf(p int32) int64 {
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
