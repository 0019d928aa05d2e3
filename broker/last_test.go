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
