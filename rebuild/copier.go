package rebuild

import (
	"context"
	"log/slog"
	"sync"

	"github.com/IBM/sarama"
	"github.com/sethvargo/go-retry"

	"tipoff/broker"
	"tipoff/topics"
)

// maxCopies is how many records are copied at once, of one partition.
const maxCopies = 500

// Copier is a consumer group's handler that copies the facts onto the topics of a
// copied table set, for as long as that lives. It may copy a record twice, as
// every copy says where it came from; but of a key it never copies a record
// before one that came before it.
type Copier struct {
	cluster *broker.Cluster
	set     topics.TableSet
	log     *slog.Logger

	mu       sync.Mutex
	producer sarama.SyncProducer
}

// NewCopier prepares a copier; the group runs it.
func NewCopier(c *broker.Cluster, set topics.TableSet, log *slog.Logger) *Copier {
	return &Copier{cluster: c, set: set, log: log}
}

// Setup is called by the consumer group at the beginning of a session.
func (c *Copier) Setup(sarama.ConsumerGroupSession) error {
	producer, err := c.cluster.NewSyncProducer("tipoff-copier")
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.producer = producer
	return nil
}

// Cleanup is called by the consumer group at the end of a session.
func (c *Copier) Cleanup(sarama.ConsumerGroupSession) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.producer == nil {
		return nil
	}
	err := c.producer.Close()
	c.producer = nil
	return err
}

// ConsumeClaim copies one partition until the session ends.
func (c *Copier) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	c.mu.Lock()
	producer := c.producer
	c.mu.Unlock()
	to, id := c.set.Facts(claim.Topic()), c.cluster.TopicID(claim.Topic())
	var next *sarama.ConsumerMessage
	for {
		var batch []*sarama.ConsumerMessage
		batch, next = gatherCopies(session.Context(), claim.Messages(), next)
		if len(batch) == 0 {
			return nil
		}
		copies := make([]*sarama.ProducerMessage, len(batch))
		for i, m := range batch {
			copies[i] = copied(m, to, topics.Origin{
				TopicID: id, Partition: m.Partition, Offset: c.cluster.Reader(c.set.Copier()).Sequence(m.Topic, m.Partition, m.Offset), Appended: m.Timestamp,
			})
		}
		if !c.send(session.Context(), producer, copies) {
			return nil // the partition's next owner copies the batch again
		}
		session.MarkMessage(batch[len(batch)-1], "")
	}
}

// send tries until every copy is acknowledged, or the session ends.
func (c *Copier) send(ctx context.Context, producer sarama.SyncProducer, copies []*sarama.ProducerMessage) bool {
	return retry.Do(ctx, broker.Backoff(), func(context.Context) error {
		err := producer.SendMessages(copies)
		if err == nil {
			return nil
		}
		c.log.Error("facts cannot be copied, trying again", "topic", copies[0].Topic, "error", err)
		for i, m := range copies { // a message that was sent cannot be sent again
			copies[i] = &sarama.ProducerMessage{Topic: m.Topic, Key: m.Key, Value: m.Value, Headers: m.Headers}
		}
		return retry.RetryableError(err)
	}) == nil
}

// gatherCopies waits for a record and takes what has come with it, up to the first
// one of a key that is there already: a failed attempt may leave any part of a
// batch unsent, and what is sent again later must not come after a later record of
// its key. That one is returned as after.
func gatherCopies(ctx context.Context, messages <-chan *sarama.ConsumerMessage, next *sarama.ConsumerMessage) (batch []*sarama.ConsumerMessage, after *sarama.ConsumerMessage) {
	if next == nil {
		select {
		case m, open := <-messages:
			if !open {
				return nil, nil
			}
			next = m
		case <-ctx.Done():
			return nil, nil
		}
	}
	batch = append(batch, next)
	keys := map[string]struct{}{string(next.Key): {}}
	for len(batch) < maxCopies {
		select {
		case m, open := <-messages:
			if !open {
				return batch, nil
			}
			if _, there := keys[string(m.Key)]; there {
				return batch, m
			}
			keys[string(m.Key)] = struct{}{}
			batch = append(batch, m)
		default:
			return batch, nil
		}
	}
	return batch, nil
}

// copied is the copy of a fact, which says where the fact is and when it came.
func copied(m *sarama.ConsumerMessage, to string, origin topics.Origin) *sarama.ProducerMessage {
	headers := topics.ParseHeaders(broker.HeadersOf(m))
	headers.Origin = origin
	headers.Trace = "" // it is of the fact's own way
	if headers.Received.IsZero() {
		headers.Received = m.Timestamp
	}
	c := &sarama.ProducerMessage{Topic: to, Key: sarama.ByteEncoder(m.Key), Headers: broker.RecordHeaders(headers)}
	if m.Value != nil {
		c.Value = sarama.ByteEncoder(m.Value)
	}
	return c
}
