package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// Stored is a record as it stands on a topic.
type Stored struct {
	Partition int32
	Offset    int64
	Key       string
	Value     []byte
	Appended  time.Time // by the broker
}

// readPatience is how long a read waits for the next record, all of which were
// there when it began.
const readPatience = 30 * time.Second

// Read calls each for every record that a topic holds now: a partition after the
// other, each from its oldest record to its present end. It ends at the first
// error of each.
func (c *Cluster) Read(ctx context.Context, topic string, each func(Stored) error) error {
	settings, err := c.config.sarama("tipoff-read")
	if err != nil {
		return err
	}
	settings.Consumer.Return.Errors = true
	settings.Consumer.MaxWaitTime = 10 * time.Millisecond // all that is read is there already
	consumer, err := sarama.NewConsumer(c.config.Brokers, settings)
	if err != nil {
		return fmt.Errorf("read topic %s: %w", topic, err)
	}
	read := func() error {
		oldest, err := c.Begins(topic)
		if err != nil {
			return err
		}
		newest, err := c.Ends(topic)
		if err != nil {
			return err
		}
		for _, p := range slices.Sorted(maps.Keys(newest)) {
			if oldest[p] >= newest[p] {
				continue
			}
			if err := readPartition(ctx, consumer, topic, p, oldest[p], newest[p], each); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.Join(read(), consumer.Close())
}

func readPartition(ctx context.Context, consumer sarama.Consumer, topic string, partition int32, from, to int64, each func(Stored) error) error {
	records, err := consumer.ConsumePartition(topic, partition, from)
	if err != nil {
		return fmt.Errorf("read topic %s, partition %d: %w", topic, partition, err)
	}
	defer records.AsyncClose()
	patience := time.NewTimer(readPatience)
	defer patience.Stop()
	for {
		select {
		case m := <-records.Messages():
			if m.Offset >= to {
				return nil
			}
			if err := each(Stored{m.Partition, m.Offset, string(m.Key), m.Value, m.Timestamp}); err != nil {
				return err
			}
			if m.Offset == to-1 {
				return nil
			}
			patience.Reset(readPatience)
		case err := <-records.Errors():
			return fmt.Errorf("read topic %s, partition %d: %w", topic, partition, err.Err)
		case <-patience.C:
			return fmt.Errorf("read topic %s, partition %d: nothing came for %s", topic, partition, readPatience)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Size is how many records a topic holds now.
func (c *Cluster) Size(topic string) (int64, error) {
	oldest, err := c.Begins(topic)
	if err != nil {
		return 0, err
	}
	newest, err := c.Ends(topic)
	if err != nil {
		return 0, err
	}
	size := int64(0)
	for p, end := range newest {
		size += max(0, end-oldest[p])
	}
	return size, nil
}
