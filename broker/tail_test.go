package broker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tipoff/topics"
)

// TestView_ReadsATableAgainThatLostItsEnd: what came in the place of lost values is
// applied, though the view had read on beyond it.
func TestView_ReadsATableAgainThatLostItsEnd(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	p := publisher(t, c, 5*time.Second)
	var mu sync.Mutex
	applied := 0
	v := c.NewView(topics.Users, func(u Update) {
		mu.Lock()
		defer mu.Unlock()
		if u.Partition == 0 {
			applied++
		}
	})
	first := k.PartitionInfo(topics.Users, 0).Epoch
	publishTo(t, topics.Users, p, 0, 5)
	if err := k.MoveTopicPartition(topics.Users, 0, k.LeaderFor(topics.Users, 0)); err != nil {
		t.Fatal(err)
	}
	publishTo(t, topics.Users, p, 0, 3)
	v.tails[0] = tail{first, 7} // the log had two more records under its first leader
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = v.Run(ctx) })
	defer running.Wait()
	defer cancel()
	eventually(t, func() error {
		mu.Lock()
		defer mu.Unlock()
		if s := v.State(); !s.Ready || applied < 8 || v.Restarts() == 0 {
			return fmt.Errorf("%+v after %d restarts, %d values applied", s, v.Restarts(), applied)
		}
		return nil
	})
	if want := []Loss{{topics.Users, 0, 5, 7}}; !slices.Equal(c.Losses(), want) {
		t.Errorf("losses %v, want %v", c.Losses(), want)
	}
}
