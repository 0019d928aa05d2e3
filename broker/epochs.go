package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"tipoff"
)

// epochs knows under which leader epoch each record was appended that a group of this
// process reads, as of the beginning of its session: a session ends when a partition gets
// another leader, so all that it reads was there or comes under the leader of then. A
// broker raises the epoch whenever a partition gets a leader, and keeps, with the log, at
// which offset each began. A log that has lost its end goes on under a higher epoch from
// where it was cut off, which is how readers find out (KIP-320).
type epochs struct {
	admin *kadm.Client

	mu  sync.Mutex
	all map[read]*history
}

// read is a partition as a group reads it.
type read struct {
	group string
	claimed
}

// history is that of one partition.
type history struct {
	begins []begin // by epoch; the first one is of the oldest records
	end    int64   // of the log, when it was read
}

type begin struct {
	epoch  int32
	offset int64
}

// askEpochs bounds one reading of histories.
const askEpochs = 10 * time.Second

// askEnds bounds one asking for ends; a session that cannot begin is tried again.
const askEnds = 2 * time.Second

// at is the epoch of the record at an offset.
func (h *history) at(offset int64) int32 {
	i := len(h.begins) - 1
	for i > 0 && h.begins[i].offset > offset {
		i--
	}
	return h.begins[i].epoch
}

// current is the epoch under which records are appended now.
func (h *history) current() int32 { return h.begins[len(h.begins)-1].epoch }

// cut is where the log was cut off that had a record of the epoch just before the
// offset next; isCut is false where that is still there. An epoch that is not known is
// below 0.
func (h *history) cut(epoch int32, next int64) (at int64, isCut bool) {
	end := h.end
	for i := len(h.begins) - 1; i >= 0 && epoch >= 0 && h.begins[i].epoch > epoch; i-- {
		end = min(end, h.begins[i].offset)
	}
	return end, end < next
}

// keep notes the histories of what a group reads in its new session.
func (e *epochs) keep(group string, histories map[claimed]*history) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c, h := range histories {
		e.all[read{group, c}] = h
	}
}

// sequence is the place of a record that a group reads; see [tipoff.Sequence].
func (e *epochs) sequence(group string, c claimed, offset int64) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if h := e.all[read{group, c}]; h != nil {
		return tipoff.Sequence(h.at(offset), offset)
	}
	return tipoff.Sequence(-1, offset)
}

// ends asks for the ends of a topic's logs, by partition, for as long as a partition may
// take to get another leader. The client looks for new leaders by itself, which sarama's,
// asked the same, does not.
func (e *epochs) ends(ctx context.Context, topic string) (map[int32]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, askEnds)
	defer cancel()
	var ends map[int32]int64
	err := untilDone(ctx, func() error {
		listed, err := e.admin.ListEndOffsets(ctx, topic)
		if err = errors.Join(err, listed.Error()); err != nil {
			return fmt.Errorf("ends of topic %s: %w", topic, err)
		}
		ends = map[int32]int64{}
		for p, end := range listed[topic] {
			ends[p] = end.Offset
		}
		return nil
	})
	return ends, err
}

// read asks for the histories of partitions, by topic.
func (e *epochs) read(ctx context.Context, partitions map[string][]int32) (map[claimed]*history, error) {
	ctx, cancel := context.WithTimeout(ctx, askEpochs)
	defer cancel()
	names := make([]string, 0, len(partitions))
	for name := range partitions {
		names = append(names, name)
	}
	fresh := map[claimed]*history{}
	if len(names) == 0 {
		return fresh, nil
	}
	ends, err := e.admin.ListEndOffsets(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("ends of topics: %w", err)
	}
	for topic, list := range partitions {
		for _, p := range list {
			end, known := ends.Lookup(topic, p)
			if !known || end.Err != nil {
				return nil, fmt.Errorf("end of topic %s, partition %d: %w", topic, p, end.Err)
			}
			fresh[claimed{topic, p}] = &history{end: end.Offset, begins: []begin{{max(0, end.LeaderEpoch), end.Offset}}}
		}
	}
	return fresh, e.walk(ctx, fresh)
}

// walk finds where each epoch began, from the present one down to the oldest: where
// one ends, the next one begins. Every request asks about one epoch of each partition.
func (e *epochs) walk(ctx context.Context, of map[claimed]*history) error {
	ask, found := map[claimed]int32{}, map[claimed]int64{}
	for c, h := range of {
		ask[c] = h.current() - 1
	}
	for len(ask) > 0 {
		var request kadm.OffsetForLeaderEpochRequest
		for c, epoch := range ask {
			if epoch < 0 { // nothing is older
				of[c].add(0, 0)
				delete(ask, c)
				continue
			}
			request.Add(c.topic, c.partition, epoch)
		}
		if len(ask) == 0 {
			return nil
		}
		ends, err := e.admin.OffsetForLeaderEpoch(ctx, request)
		if err != nil {
			return fmt.Errorf("leader epochs: %w", err)
		}
		for c, epoch := range ask {
			end, known := ends[c.topic][c.partition]
			if !known || end.Err != nil {
				return fmt.Errorf("leader epochs of topic %s, partition %d: %w", c.topic, c.partition, end.Err)
			}
			if end.LeaderEpoch < 0 { // nothing was appended since that epoch
				ask[c] = epoch - 1
				continue
			}
			if before, again := found[c]; again && before == end.EndOffset { // the oldest record
				delete(ask, c)
				continue
			}
			found[c] = end.EndOffset
			of[c].add(epoch+1, end.EndOffset)
			ask[c] = end.LeaderEpoch - 1
		}
	}
	return nil
}

// add notes where an epoch began that is older than those noted before.
func (h *history) add(epoch int32, offset int64) {
	first := &h.begins[0]
	switch {
	case offset > first.offset: // appended meanwhile
	case epoch == first.epoch:
		first.offset = offset
	default:
		h.begins = slices.Insert(h.begins, 0, begin{epoch, offset})
	}
}
