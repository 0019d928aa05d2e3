package broker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"tipoff"
	"tipoff/topics"
)

// publishTo publishes records of keys that lie on the topic's partition.
func publishTo(t *testing.T, topic string, p *Publisher, partition int32, n int) {
	t.Helper()
	var list []topics.Record
	for i := 0; len(list) < n; i++ {
		r := topics.Record{Topic: topic, Key: fmt.Sprintf("default/k%d", i), Value: []byte("1"), Received: time.Now()}
		hash := topics.NewKeyHash()
		_, _ = hash.Write([]byte(r.Key))
		if int32(hash.Sum32()%uint32(layout.Partitions)) == partition {
			list = append(list, r)
		}
	}
	if err := p.Publish(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

// readEpochs does what the beginning of a session of the group g does.
func readEpochs(t *testing.T, c *Cluster) {
	t.Helper()
	histories, err := c.epochs.read(t.Context(), map[string][]int32{topics.Users: {0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	c.epochs.keep("g", histories)
}

func TestEpochs_KnowsUnderWhichARecordWasAppended(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	p := publisher(t, c, 5*time.Second)
	elect := func(times int) {
		for range times {
			if err := k.MoveTopicPartition(topics.Users, 0, k.LeaderFor(topics.Users, 0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := k.PartitionInfo(topics.Users, 0).Epoch
	var want []int32
	for _, step := range []struct{ records, elections int }{{3, 1}, {2, 4}, {5, 2}, {0, 0}} {
		if step.records > 0 {
			publishTo(t, topics.Users, p, 0, step.records)
		}
		want = append(want, slices.Repeat([]int32{k.PartitionInfo(topics.Users, 0).Epoch}, step.records)...)
		elect(step.elections)
		readEpochs(t, c)
		for offset, epoch := range want {
			if got := tipoff.SequenceEpoch(c.Reader("g").Sequence(topics.Users, 0, int64(offset))); got != epoch {
				t.Errorf("after %d records, that at %d is of epoch %d, want %d", len(want), offset, got, epoch)
			}
		}
	}
	if next := c.Reader("g").Sequence(topics.Users, 0, 10); tipoff.SequenceEpoch(next) != first+7 {
		t.Errorf("the next record is of epoch %d, want %d", tipoff.SequenceEpoch(next), first+7)
	}
	there, lost := tipoff.Sequence(first, 2), tipoff.Sequence(first, 3)
	gone, err := c.Gone(t.Context(), []Place{{topics.Users, 0, there}, {topics.Users, 0, lost}})
	if want := []Place{{topics.Users, 0, lost}}; err != nil || !slices.Equal(gone, want) {
		t.Errorf("gone are %v, want %v: %v", gone, want, err)
	}
}

// offsets is a handler that notes where it reads.
type offsets struct {
	mu   sync.Mutex
	seen []int64
}

func (*offsets) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*offsets) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (o *offsets) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for m := range claim.Messages() {
		o.mu.Lock()
		if m.Partition == 0 {
			o.seen = append(o.seen, m.Offset)
		}
		o.mu.Unlock()
		session.MarkMessage(m, "")
	}
	return nil
}

// TestGroup_ReadsOnFromWhereALogWasCutOff: what was appended in the place of lost
// records is read, and what was finished before is not read again.
func TestGroup_ReadsOnFromWhereALogWasCutOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		committed int64
		metadata  string
		want      []int64
		lost      []Loss
	}{
		"BehindTheEnd":            {12, "1", nil, []Loss{{topics.Users, 0, 8, 12}}},
		"BehindTheEndOfNoEpoch":   {12, "", nil, []Loss{{topics.Users, 0, 8, 12}}},
		"UnderAnEarlierEpoch":     {7, "0", []int64{5, 6, 7}, []Loss{{topics.Users, 0, 5, 7}}},
		"UnderTheEpochOfTheTime":  {7, "1", []int64{7}, nil},
		"BeforeAnElection":        {5, "0", []int64{5, 6, 7}, nil},
		"WhereNothingIsCommitted": {-1, "", []int64{0, 1, 2, 3, 4, 5, 6, 7}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := fake(t)
			cluster := connect(t, Config{Brokers: k.ListenAddrs()})
			p := publisher(t, cluster, 5*time.Second)
			publishTo(t, topics.Users, p, 0, 5)
			if err := k.MoveTopicPartition(topics.Users, 0, k.LeaderFor(topics.Users, 0)); err != nil {
				t.Fatal(err)
			}
			publishTo(t, topics.Users, p, 0, 3)
			if c.committed >= 0 {
				commit(t, cluster, c.committed, c.metadata)
			}
			handler := new(offsets)
			g := cluster.NewGroup("g", []string{topics.Users}, handler)
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { _ = g.Run(ctx) })
			defer running.Wait()
			defer cancel()
			eventually(t, func() error {
				if s := g.State(); !s.Ready {
					return fmt.Errorf("%+v", s)
				}
				return nil
			})
			publishTo(t, topics.Users, p, 0, 1)
			want := append(slices.Clone(c.want), 8)
			eventually(t, func() error {
				handler.mu.Lock()
				defer handler.mu.Unlock()
				if !slices.Equal(handler.seen, want) {
					return fmt.Errorf("read %v, want %v", handler.seen, want)
				}
				return nil
			})
			if got := cluster.Losses(); !slices.Equal(got, c.lost) {
				t.Errorf("losses %v, want %v", got, c.lost)
			}
		})
	}
}

func commit(t *testing.T, c *Cluster, offset int64, metadata string) {
	t.Helper()
	_, err := c.admin.AlterConsumerGroupOffsets("g", map[string]map[int32]sarama.OffsetAndMetadata{
		topics.Users: {0: {Offset: offset, Metadata: metadata, LeaderEpoch: -1}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}
