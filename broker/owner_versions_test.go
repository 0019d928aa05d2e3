package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tipoff/topics"

	"github.com/twmb/franz-go/pkg/kfake"
)

func TestProcessor_HoldsAPartitionWhoseTableItCannotReadAndOthersGoOn(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub := publisher(t, c, 5*time.Second)
	keys := records(20)
	partition := func(key string) uint32 {
		h := topics.NewKeyHash()
		_, _ = h.Write([]byte(key))
		return h.Sum32() % 2
	}
	strange := topics.Record{Topic: topics.TableBettors, Key: keys[0].Key, Value: []byte("7: from the future"), Received: time.Now()}
	if err := errors.Join(pub.Publish(t.Context(), []topics.Record{strange}), pub.Publish(t.Context(), keys)); err != nil {
		t.Fatal(err)
	}
	owner := c.NewOwner(TableValues{
		Epoch: func([]byte) uint64 { return 0 },
		Check: func(value []byte) error {
			if strings.Contains(string(value), "future") {
				return errors.New("it is of version 7, deploy the newer program")
			}
			return nil
		},
	}, func(string) {})
	var seen following
	ctx, cancel := context.WithCancel(t.Context())
	view := c.NewView(topics.TableBettors, TableValues{}, seen.apply)
	p := c.NewProcessor(counting(), owner)
	done := make(chan struct{}, 2)
	go func() { _ = view.Run(ctx); done <- struct{}{} }()
	go func() { _ = p.Run(ctx); done <- struct{}{} }()
	for _, r := range keys {
		if partition(r.Key) != partition(keys[0].Key) {
			eventually(t, func() error { return seen.want(r.Key, "1") })
		}
	}
	eventually(t, func() error { // and the partition's facts wait
		if lag, err := c.LagTo(t.Context(), topics.GroupBettors, []string{topics.Users}, c.Ends); err != nil || lag[topics.Users] == 0 || lag[topics.Users] == 20 {
			return fmt.Errorf("lag %v, %v", lag, err)
		}
		return nil
	})
	for _, r := range keys[1:] {
		if partition(r.Key) == partition(keys[0].Key) {
			if err := seen.want(r.Key, ""); err != nil {
				t.Error(err)
			}
		}
	}
	if err := seen.want(keys[0].Key, string(strange.Value)); err != nil {
		t.Error(err)
	}
	s := p.State()
	if s.Ready || !strings.Contains(s.Detail, "version 7, deploy") || !strings.Contains(s.Detail, keys[0].Key) || !strings.Contains(s.Detail, topics.TableBettors) {
		t.Errorf("state %+v", s)
	}
	cancel()
	<-done
	<-done
}

func TestOwner_KnowsTheHighestEpochOfARecoveredTable(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub := publisher(t, c, 5*time.Second)
	values := records(20)
	for i := range values {
		values[i].Topic, values[i].Value = topics.TableBettors, []byte("7")
	}
	if err := pub.Publish(t.Context(), values); err != nil {
		t.Fatal(err)
	}
	owner := c.NewOwner(TableValues{
		Epoch: func([]byte) uint64 { return 9<<32 | 400 }, // a group that was forgotten since
		Check: func([]byte) error { return nil },
	}, func(string) {})
	p := c.NewProcessor(counting(), owner)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	eventually(t, func() error { return ready(p.State()) })
	for partition := range int32(2) {
		if epoch := owner.Epoch(partition); epoch>>32 != 10 {
			t.Errorf("partition %d: epoch %d:%d, want a life after the 9th", partition, epoch>>32, uint32(epoch))
		}
	}
	cancel()
	<-done
}

// TestOwner_FindsTheNewLeaderOfItsTable: a session begins though the table's log moved.
func TestOwner_FindsTheNewLeaderOfItsTable(t *testing.T) {
	t.Parallel()
	k := fake(t, kfake.NumBrokers(3))
	o := owner(connect(t, Config{Brokers: k.ListenAddrs()}))
	if _, err := o.begin(session{generation: 1}); err != nil {
		t.Fatal(err)
	}
	for generation := int32(2); generation < 6; generation++ {
		for p := range int32(2) {
			if err := k.MoveTopicPartition(topics.TableBettors, p, (k.LeaderFor(topics.TableBettors, p)+1)%3); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := o.begin(session{generation: generation}); err != nil {
			t.Errorf("generation %d: %v", generation, err)
		}
	}
}
