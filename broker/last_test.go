package broker

import (
	"fmt"
	"testing"
	"time"

	"tipoff/topics"
)

func TestLast_HasTheEndOfEachPartitionAndNothingTwice(t *testing.T) {
	c := connect(t, Config{Brokers: fake(t).ListenAddrs()})
	p := publisher(t, c, 5*time.Second)
	for i := range 50 { // batches of many sizes
		var records []topics.Record
		for j := range i % 7 {
			records = append(records, topics.Record{Topic: topics.Rejected, Key: fmt.Sprint(i, j%3), Value: fmt.Append(nil, i, " ", j)})
		}
		if err := p.Publish(t.Context(), records); err != nil {
			t.Fatal(err)
		}
	}
	ends, err := c.Ends(t.Context(), topics.Rejected)
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.Size(t.Context(), topics.Rejected)
	if err != nil {
		t.Fatal(err)
	}
	for _, most := range []int{0, 1, 17, 100, 10_000} {
		found, older, err := c.Last(t.Context(), topics.Rejected, most, 1<<20)
		if err != nil || int64(len(found)) != min(int64(most), all) || older != all-int64(len(found)) {
			t.Fatalf("%d of %d: %d records, %d older, %v", most, all, len(found), older, err)
		}
		for i, s := range found {
			lastOfItsOwn := i+1 == len(found) || found[i+1].Partition != s.Partition
			if lastOfItsOwn && s.Offset != ends[s.Partition]-1 || !lastOfItsOwn && found[i+1].Offset != s.Offset+1 {
				t.Errorf("%d: %d/%d, then the next; the end is %d", most, s.Partition, s.Offset, ends[s.Partition])
			}
		}
	}
	if found, _, err := c.Last(t.Context(), topics.Rejected, 1000, 1); err != nil || len(found) == 0 || len(found) > firstPiece {
		t.Errorf("of one byte: %d records, %v", len(found), err)
	}
}

// TestLast_IsBoundedWhereOffsetsHoldNothing: compaction and transactions leave gaps.
func TestLast_IsBoundedWhereOffsetsHoldNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		every   int64 // one offset in so many holds a record; 0: none does
		found   int
		offsets int64
	}{{"no gaps", 1, 100, 100}, {"every other one", 2, 100, 200}, {"one in ten", 10, 39, 100 * gapsMost}, {"none", 0, 0, 100 * gapsMost}} {
		pieces := []*piece{{0, 0, 1_000_000}, {1, 5, 1_000_000}}
		looked, fetches := int64(0), 0
		found, err := backwards(pieces, 100, 1<<20, func(partition int32, from, to int64) (some []Stored, err error) {
			looked, fetches = looked+to-from, fetches+1
			for at := from; c.every > 0 && at < to; at++ {
				if at%c.every == 0 {
					some = append(some, Stored{Partition: partition, Offset: at})
				}
			}
			return some, nil
		})
		if err != nil || len(found) != c.found || looked > c.offsets+mostPieces || fetches > 50 {
			t.Errorf("%s: %d records of %d offsets, in %d fetches: %v", c.name, len(found), looked, fetches, err)
		}
	}
}
