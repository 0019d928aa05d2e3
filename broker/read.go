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
		oldest, err := c.Begins(ctx, topic)
		if err != nil {
			return err
		}
		newest, err := c.Ends(ctx, topic)
		if err != nil {
			return err
		}
		full := slices.DeleteFunc(slices.Sorted(maps.Keys(newest)), func(p int32) bool { return oldest[p] >= newest[p] })
		for some := range slices.Chunk(full, openAtOnce) {
			if err := readPartitions(ctx, consumer, topic, some, oldest, newest, each); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.Join(read(), consumer.Close())
}

// openAtOnce is how many partitions are asked for together: sarama waits for a tenth
// of a second before it asks for those that are new, and has a MiB of each in memory.
const openAtOnce = 16

// readPartitions opens all partitions, then reads one after the other.
func readPartitions(ctx context.Context, consumer sarama.Consumer, topic string, partitions []int32, from, to map[int32]int64, each func(Stored) error) error {
	var opened []sarama.PartitionConsumer
	defer func() {
		for _, records := range opened {
			records.AsyncClose()
		}
	}()
	for _, p := range partitions {
		records, err := consumer.ConsumePartition(topic, p, from[p])
		if err != nil {
			return fmt.Errorf("read topic %s, partition %d: %w", topic, p, err)
		}
		opened = append(opened, records)
	}
	for i, p := range partitions {
		if err := readPartition(ctx, opened[i], topic, p, to[p], each); err != nil {
			return err
		}
	}
	return nil
}

func readPartition(ctx context.Context, records sarama.PartitionConsumer, topic string, partition int32, to int64, each func(Stored) error) error {
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
func (c *Cluster) Size(ctx context.Context, topic string) (int64, error) {
	oldest, err := c.Begins(ctx, topic)
	if err != nil {
		return 0, err
	}
	newest, err := c.Ends(ctx, topic)
	if err != nil {
		return 0, err
	}
	size := int64(0)
	for p, end := range newest {
		size += max(0, end-oldest[p])
	}
	return size, nil
}
