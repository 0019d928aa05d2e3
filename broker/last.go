package broker

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/IBM/sarama"
)

const (
	// fetchVersion is that of the requests by which single pieces are read; Kafka has it since 2.3.
	fetchVersion = 11
	// fetchBytes is how much one of them asks for. A batch that is larger comes whole.
	fetchBytes = 256 << 10
	firstPiece = 4 // records of a partition that are read at first
	mostPieces = 64
)

// piece is how far a partition was read from its end.
type piece struct {
	partition int32
	begin     int64 // of what the topic holds
	read      int64 // all from here on was read
}

// Last reads the newest records of a topic, of every partition about as many, until there
// are so many records or bytes, or a few times as many offsets were looked at: some may hold
// no record any more. They come in the order of partitions and offsets, of each partition
// all from one offset on; older is how many before them were not read.
func (c *Cluster) Last(ctx context.Context, topic string, records int, bytes int64) (found []Stored, older int64, err error) {
	begins, err := c.Begins(ctx, topic)
	if err != nil {
		return nil, 0, err
	}
	ends, err := c.Ends(ctx, topic)
	if err != nil {
		return nil, 0, err
	}
	var pieces []*piece
	for _, p := range slices.Sorted(maps.Keys(ends)) {
		pieces = append(pieces, &piece{p, begins[p], max(begins[p], ends[p])})
	}
	found, err = backwards(pieces, records, bytes, func(partition int32, from, to int64) ([]Stored, error) {
		return c.fetch(ctx, topic, partition, from, to)
	})
	if err != nil {
		return nil, 0, err
	}
	for _, p := range pieces {
		older += p.read - p.begin
	}
	slices.SortFunc(found, func(a, b Stored) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	return found, older, nil
}

// gapsMost is how many offsets are looked at for each record that is wanted, at the most.
const gapsMost = 4

// backwards fetches pieces from the ends on until there are so many records or bytes.
func backwards(pieces []*piece, records int, bytes int64, fetch func(partition int32, from, to int64) ([]Stored, error)) (found []Stored, err error) {
	size, left, most := int64(0), gapsMost*int64(records), int64(firstPiece)
	for more := true; more; most = min(2*most, mostPieces) {
		more = false
		for _, p := range pieces {
			n := min(most, int64(records-len(found)), p.read-p.begin, left)
			if len(found) > 0 { // no more than is left of the bytes, as records were so far
				n = min(n, max(1, (bytes-size)*int64(len(found))/max(1, size)))
			}
			if n <= 0 || size >= bytes {
				continue
			}
			some, err := fetch(p.partition, p.read-n, p.read)
			if err != nil {
				return nil, err
			}
			for i := range some {
				size += int64(len(some[i].Key) + len(some[i].Value))
			}
			found = append(found, some...)
			p.read -= n
			left -= n
			more = true
		}
	}
	return found, nil
}

// fetch reads the records of a partition from an offset on, up to another, as far as
// they are still there.
func (c *Cluster) fetch(ctx context.Context, topic string, partition int32, from, to int64) (found []Stored, err error) {
	leader, err := inTime(ctx, func() (*sarama.Broker, error) { return c.client.Leader(topic, partition) })
	if err != nil {
		return nil, fmt.Errorf("read topic %s, partition %d: %w", topic, partition, err)
	}
	for from < to && ctx.Err() == nil {
		request := &sarama.FetchRequest{Version: fetchVersion, MinBytes: 1, MaxWaitTime: 10, MaxBytes: fetchBytes, SessionEpoch: -1}
		request.AddBlock(topic, partition, from, fetchBytes, -1)
		response, err := inTime(ctx, func() (*sarama.FetchResponse, error) { return leader.Fetch(request) })
		if err != nil {
			return nil, fmt.Errorf("read topic %s, partition %d: %w", topic, partition, err)
		}
		block := response.GetBlock(topic, partition)
		if block == nil {
			return nil, fmt.Errorf("read topic %s, partition %d: the broker left it out of its response", topic, partition)
		}
		if block.Err != sarama.ErrNoError {
			return nil, fmt.Errorf("read topic %s, partition %d: %w", topic, partition, block.Err)
		}
		next := from
		for _, records := range block.RecordsSet {
			if batch := records.RecordBatch; batch != nil {
				found = append(found, storedIn(batch, partition, from, to)...)
				next = max(next, batch.LastOffset()+1)
			}
		}
		if next == from { // nothing more is there
			break
		}
		from = next
	}
	return found, ctx.Err()
}

// storedIn lists the records of a batch from an offset on, up to another.
func storedIn(batch *sarama.RecordBatch, partition int32, from, to int64) (found []Stored) {
	if batch.Control {
		return nil
	}
	for _, record := range batch.Records {
		offset := batch.FirstOffset + record.OffsetDelta
		if offset < from || offset >= to {
			continue
		}
		at := batch.FirstTimestamp.Add(record.TimestampDelta)
		if batch.LogAppendTime {
			at = batch.MaxTimestamp
		}
		found = append(found, Stored{partition, offset, string(record.Key), record.Value, at})
	}
	return found
}
