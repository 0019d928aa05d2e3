package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/IBM/sarama"
)

// followed is a consumer group's handler that notices when a log has lost its end:
// what its group has finished stood there, or what it read last did. It commits the
// leader epoch beside each offset, compares both with the log when a session begins,
// and reads on from where the log was cut off, so that no record is passed over which was
// appended in the place of a lost one. A session ends when a partition gets another leader.
type followed struct {
	sarama.ConsumerGroupHandler
	cluster *Cluster
	group   string
	client  sarama.Client // of the group: it knows a new leader before that leader's records come
	session *followedSession

	histories map[claimed]*history // of what it claims, when the session began
	leaders   map[claimed]int32    // the epochs of their leaders then
}

// Setup is called by sarama before the claims are read.
func (f *followed) Setup(session sarama.ConsumerGroupSession) error {
	claims := session.Claims()
	f.leaders = f.knownLeaders(claims) // before the histories, which so are no older
	histories, err := f.cluster.epochs.read(session.Context(), claims)
	if err != nil {
		return err
	}
	f.histories = histories
	f.cluster.epochs.keep(f.group, histories)
	admin, err := sarama.NewClusterAdminFromClient(f.client) // it knows the coordinator, as it has just joined
	if err != nil {
		return err
	}
	committed, err := admin.ListConsumerGroupOffsets(f.group, claims)
	if err == nil && committed.Err != sarama.ErrNoError {
		err = committed.Err
	}
	if err != nil {
		return fmt.Errorf("offsets of group %s: %w", f.group, err)
	}
	for topic, partitions := range claims {
		for _, p := range partitions {
			block, c := committed.GetBlock(topic, p), claimed{topic, p}
			switch {
			case block == nil:
				return fmt.Errorf("offset of group %s: the broker says nothing of topic %s, partition %d", f.group, topic, p)
			case block.Err != sarama.ErrNoError:
				return fmt.Errorf("offset of group %s, topic %s, partition %d: %w", f.group, topic, p, block.Err)
			case block.Offset < 0:
				continue
			}
			if at, isCut := histories[c].cut(committedEpoch(block.Metadata), block.Offset); isCut {
				f.cluster.lost(c, at, block.Offset)
				session.ResetOffset(topic, p, at, f.metadata(c, at))
			}
		}
	}
	f.session = &followedSession{session, f}
	return f.ConsumerGroupHandler.Setup(f.session)
}

// Cleanup is called by sarama after all claims have ended.
func (f *followed) Cleanup(sarama.ConsumerGroupSession) error {
	if f.session == nil { // it never began
		return nil
	}
	return f.ConsumerGroupHandler.Cleanup(f.session)
}

// ConsumeClaim is called by sarama for each partition.
func (f *followed) ConsumeClaim(_ sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	ctx, end := context.WithCancel(f.session.Context())
	messages := make(chan *sarama.ConsumerMessage)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(messages)
		f.forward(ctx, claim, messages)
	})
	err := f.ConsumerGroupHandler.ConsumeClaim(f.session, &forwardedClaim{claim, messages})
	end()
	reading.Wait()
	return err
}

// forward passes the claim's messages on until there are no more, ctx ends, or the
// partition gets another leader. Then the session ends, and the next one begins with what
// the log has now: sarama may still hold records of the former leader that are gone.
func (f *followed) forward(ctx context.Context, claim sarama.ConsumerGroupClaim, to chan<- *sarama.ConsumerMessage) {
	c := claimed{claim.Topic(), claim.Partition()}
	current := max(f.histories[c].current(), f.leaders[c])
	for {
		var m *sarama.ConsumerMessage
		select {
		case m = <-claim.Messages():
		case <-ctx.Done():
			return
		}
		if m == nil {
			return
		}
		if _, epoch, err := f.client.LeaderAndEpoch(m.Topic, m.Partition); err != nil || epoch > current {
			return
		}
		select {
		case to <- m:
		case <-ctx.Done():
			return
		}
	}
}

// knownLeaders are the epochs of the leaders that the group's client knows.
func (f *followed) knownLeaders(claims map[string][]int32) map[claimed]int32 {
	epochs := map[claimed]int32{}
	for topic, partitions := range claims {
		for _, p := range partitions {
			if _, epoch, err := f.client.LeaderAndEpoch(topic, p); err == nil {
				epochs[claimed{topic, p}] = epoch
			}
		}
	}
	return epochs
}

// metadata is what is committed beside an offset: the epoch of the record before it.
func (f *followed) metadata(c claimed, next int64) string {
	if h := f.histories[c]; h != nil && next > 0 {
		return strconv.Itoa(int(h.at(next - 1)))
	}
	return ""
}

// committedEpoch is the reverse of metadata; -1: there is none.
func committedEpoch(metadata string) int32 {
	epoch, err := strconv.ParseInt(metadata, 10, 32)
	if err != nil || epoch < 0 {
		return -1
	}
	return int32(epoch)
}

// followedSession commits epochs beside offsets.
type followedSession struct {
	sarama.ConsumerGroupSession
	followed *followed
}

// MarkOffset notes that all before next are finished.
func (s *followedSession) MarkOffset(topic string, partition int32, next int64, _ string) {
	s.ConsumerGroupSession.MarkOffset(topic, partition, next, s.followed.metadata(claimed{topic, partition}, next))
}

// MarkMessage notes that a message and all before it are finished.
func (s *followedSession) MarkMessage(m *sarama.ConsumerMessage, metadata string) {
	s.MarkOffset(m.Topic, m.Partition, m.Offset+1, metadata)
}

// forwardedClaim is a claim whose messages come through something in between.
type forwardedClaim struct {
	sarama.ConsumerGroupClaim
	messages <-chan *sarama.ConsumerMessage
}

func (c *forwardedClaim) Messages() <-chan *sarama.ConsumerMessage { return c.messages }

// followedGroup is a consumer group whose handlers are followed.
type followedGroup struct {
	sarama.ConsumerGroup
	cluster *Cluster
	name    string
	client  sarama.Client
}

// newConsumerGroup joins a consumer group that notices when a log has lost its end.
func (c *Cluster) newConsumerGroup(name string, settings *sarama.Config) (sarama.ConsumerGroup, error) {
	client, err := sarama.NewClient(c.config.Brokers, settings)
	if err != nil {
		return nil, err
	}
	group, err := sarama.NewConsumerGroupFromClient(name, client)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &followedGroup{group, c, name, client}, nil
}

func (g *followedGroup) Consume(ctx context.Context, topics []string, handler sarama.ConsumerGroupHandler) error {
	return g.ConsumerGroup.Consume(ctx, topics, &followed{ConsumerGroupHandler: handler, cluster: g.cluster, group: g.name, client: g.client})
}

func (g *followedGroup) Close() error { return errors.Join(g.ConsumerGroup.Close(), g.client.Close()) }
