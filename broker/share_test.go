package broker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tipoff/topics"
)

// TestShare_HasTheKeysThatAreRoutedToIt: however many partitions a table has, a key's
// partition is in the share that the key is sent to, and in others only where there are
// fewer partitions than shares.
func TestShare_HasTheKeysThatAreRoutedToIt(t *testing.T) {
	t.Parallel()
	for of := 1; of <= 16; of *= 2 {
		for partitions := 1; partitions <= 64; partitions *= 2 {
			for i := range 500 {
				key := []byte(topics.Key("company", fmt.Sprint("user ", i)))
				routed, partition := topics.PartitionOf(key, of), int32(topics.PartitionOf(key, partitions))
				for index := range of {
					has := Share{index, of}.has(partition, partitions)
					if index == routed && !has || index != routed && has && partitions >= of {
						t.Fatalf("%d shares of %d partitions: share %d has partition %d: %t, and its keys go to share %d", of, partitions, index, partition, has, routed)
					}
				}
			}
		}
	}
	if all := (Share{}).of(4); !slices.Equal(all, []int32{0, 1, 2, 3}) {
		t.Errorf("without a share a view follows %v", all)
	}
}

// TestView_FollowsItsShareAlone: nothing of other partitions is applied, or waited for, also
// where they cannot be read.
func TestView_FollowsItsShareAlone(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	p := publisher(t, c, 5*time.Second)
	for partition := range int32(2) {
		publishTo(t, topics.Users, p, partition, 5)
	}
	k.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets, kmsg.OffsetForLeaderEpoch}, Topic: topics.Users, Partitions: []int32{0}, Err: kerr.UnknownServerError, Count: -1,
	})
	var mu sync.Mutex
	applied := map[int32]int{}
	v := c.NewView(topics.Users, TableValues{}, func(u Update) {
		mu.Lock()
		defer mu.Unlock()
		applied[u.Partition]++
	})
	v.Follow(Share{Index: 1, Of: 2})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = v.Run(ctx) })
	defer running.Wait()
	defer cancel()
	want := func(values int) {
		t.Helper()
		patient, end := context.WithTimeout(ctx, 30*time.Second)
		defer end()
		if err := v.CatchUp(patient); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error {
			mu.Lock()
			defer mu.Unlock()
			if s := v.State(); !s.Ready || s.Lag != 0 || applied[1] < values {
				return fmt.Errorf("%+v, applied %v, want %d", s, applied, values)
			}
			return nil
		})
	}
	want(5)
	for partition := range int32(2) {
		publishTo(t, topics.Users, p, partition, 3)
	}
	want(8)
	v.endLife() // the next one goes on where this one stood
	for partition := range int32(2) {
		publishTo(t, topics.Users, p, partition, 1)
	}
	want(9)
	mu.Lock()
	defer mu.Unlock()
	if applied[0] != 0 || applied[1] != 9 || v.Restarts() != 0 {
		t.Errorf("applied %v, %d restarts", applied, v.Restarts())
	}
}
