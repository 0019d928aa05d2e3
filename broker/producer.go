package broker

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"tipoff/topics"
)

// newProducer connects a producer, which puts the records of all partitions that wait into
// few requests, several of which may be under way to a broker. A record whose fate is not
// known after patience fails, and may be stored all the same.
func (c *Config) newProducer(clientID string, patience time.Duration, more ...kgo.Opt) (*kgo.Client, error) {
	return c.franz(clientID, append(more,
		kgo.MaxVersions(kversion.V2_7_0()), // later ones know topics by ids, and refuse one that was created again
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(0), // what gathers while requests are under way leaves together
		kgo.ProducerBatchCompression(kgo.SnappyCompression()),
		kgo.RecordPartitioner(kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int { return partitionOf })),
		kgo.MaxBufferedRecords(maxBuffered),
		kgo.RecordDeliveryTimeout(max(patience, leastPatience)),
		kgo.ProduceRequestTimeout(min(patience, requestPatience)),
		kgo.RequestTimeoutOverhead(connectionPatience),
		kgo.AllowIdempotentProduceCancellation(),
		kgo.UnknownTopicRetries(-1), // until patience ends
	)...)
}

// leastPatience is the least that franz-go takes; who publishes waits no longer than he
// said all the same.
const leastPatience = time.Second

// How long a broker may wait for its replicas, and how much longer an answer may take on
// the way before the connection is given up and the request made again on another one.
const (
	requestPatience    = 10 * time.Second
	connectionPatience = 3 * time.Second
)

// maxBuffered is how many records may wait; who produces more waits himself.
const maxBuffered = 1 << 18

// partitionOf is where a record belongs, as sarama and goka calculate it.
func partitionOf(r *kgo.Record, partitions int) int { return topics.PartitionOf(r.Key, partitions) }

// kafkaFault is an error of franz-go's in sarama's terms, where it is the broker's.
func kafkaFault(err error) error {
	if err == nil {
		return nil
	}
	var fault *kerr.Error
	if errors.As(err, &fault) {
		return sarama.KError(fault.Code)
	}
	return err
}

// gokaProducer is a producer as goka uses it.
type gokaProducer struct{ client *kgo.Client }

func (p gokaProducer) Emit(topic, key string, value []byte) *goka.Promise {
	return p.EmitWithHeaders(topic, key, value, nil)
}

func (p gokaProducer) EmitWithHeaders(topic, key string, value []byte, headers goka.Headers) *goka.Promise {
	promise, finish := goka.NewPromiseWithFinisher()
	p.produce(topic, key, value, headers, func(m *sarama.ProducerMessage, err error) { finish(m, err) })
	return promise
}

// produce hands a record on, and tells finish where it stands or why it does not.
func (p gokaProducer) produce(topic, key string, value []byte, headers goka.Headers, finish func(*sarama.ProducerMessage, error)) {
	record := &kgo.Record{Topic: topic, Key: []byte(key), Value: value}
	for name, text := range headers {
		if name != topics.HeaderMayWait && name != topics.HeaderMayGather {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: name, Value: text})
		}
	}
	p.client.Produce(context.Background(), record, func(r *kgo.Record, err error) {
		finish(&sarama.ProducerMessage{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}, kafkaFault(err))
	})
}

// closePatience is how long the end of a producer waits for what is under way.
const closePatience = 60 * time.Second

func (p gokaProducer) Close() error { return closeProducer(p.client) }

// closeProducer waits for what is under way.
func closeProducer(client *kgo.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	err := client.Flush(ctx)
	client.Close()
	return err
}
