package broker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tipoff/topics"

	"github.com/twmb/franz-go/pkg/kfake"
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
	v := c.NewView(topics.Users, TableValues{}, func(u Update) {
		mu.Lock()
		defer mu.Unlock()
		if u.Partition == 0 {
			applied++
		}
	})
	publishTo(t, topics.Users, p, 0, 5)
	elect(t, k)
	publishTo(t, topics.Users, p, 0, 3)
	v.leaders[0], v.offsets[0] = k.PartitionInfo(topics.Users, 0).Epoch-1, &offsetOnly{}
	_ = v.offsets[0].SetOffset(6) // of two more records that the log had under its first leader
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = v.Run(ctx) })
	defer running.Wait()
	defer cancel()
	eventually(t, func() error {
		mu.Lock()
		defer mu.Unlock()
		if s := v.State(); !s.Ready || applied < 8 {
			return fmt.Errorf("%+v, %d values applied", s, applied)
		}
		return nil
	})
	if want := []Loss{{topics.Users, 0, 5, 7}}; !slices.Equal(c.Losses(), want) {
		t.Errorf("losses %v, want %v", c.Losses(), want)
	}
}

func elect(t *testing.T, k *kfake.Cluster) {
	t.Helper()
	if err := k.MoveTopicPartition(topics.Users, 0, k.LeaderFor(topics.Users, 0)); err != nil {
		t.Fatal(err)
	}
}

// TestView_AnElectionBringsNoOldValueBack: a log that has all that was applied is read on
// from there, however much of the new leader's came before anybody looked.
func TestView_AnElectionBringsNoOldValueBack(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	p := publisher(t, c, 5*time.Second)
	applied := make(chan string, 1000)
	v := c.NewView(topics.Users, TableValues{}, func(u Update) {
		if u.Partition == 0 {
			applied <- u.Key
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = v.Run(ctx) })
	defer running.Wait()
	defer cancel()
	eventually(t, func() error {
		if s := v.State(); !s.Ready {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	seen := map[string]bool{}
	for range 5 {
		publishTo(t, topics.Users, p, 0, 20)
		for range 20 {
			seen[<-applied] = true
		}
		elect(t, k)
	}
	publishTo(t, topics.Users, p, 0, 20)
	eventually(t, func() error { // it has looked at the log since
		v.mu.Lock()
		defer v.mu.Unlock()
		if is := k.PartitionInfo(topics.Users, 0).Epoch; v.leaders[0] != is {
			return fmt.Errorf("it reads from the leader of epoch %d, not %d", v.leaders[0], is)
		}
		return nil
	})
	publishTo(t, topics.Users, p, 0, 21) // of which the last key is another one than all before
	for n := 1; ; n++ {
		if key := <-applied; seen[key] {
			continue
		}
		if n != 20+21 {
			t.Errorf("%d values are applied after the last election, want 41", n)
		}
		break
	}
	if v.Restarts() != 0 || len(c.Losses()) != 0 {
		t.Errorf("%d restarts, losses %v", v.Restarts(), c.Losses())
	}
}
