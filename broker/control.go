package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"
	"github.com/sethvargo/go-retry"

	"tipoff/topics"
)

// controlPatience bounds reading the control topic.
const controlPatience = 15 * time.Second

// TableSets is what the control topic says now. Where it says nothing yet, the first
// table set serves.
func (c *Cluster) TableSets() (sets topics.TableSets, err error) {
	newest, err := c.newestTableSets()
	if err != nil || newest < 0 {
		return sets, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), controlPatience)
	defer cancel()
	err = c.control(ctx, newest, readOnce, func(now topics.TableSets) bool {
		sets = now
		return false
	})
	return sets, err
}

// FollowTableSets calls apply with what the control topic says now, if anything, and
// with each change, until ctx ends.
func (c *Cluster) FollowTableSets(ctx context.Context, apply func(topics.TableSets)) {
	_ = retry.Do(ctx, Backoff(), func(context.Context) error {
		newest, err := c.newestTableSets()
		if err == nil {
			err = c.control(ctx, max(0, newest), follow, func(now topics.TableSets) bool {
				apply(now)
				return true
			})
		}
		if ctx.Err() == nil {
			c.log.Error("the control topic cannot be read, trying again", "error", err)
		}
		return retry.RetryableError(err)
	})
}

// newestTableSets is the offset of the newest record of the control topic, which
// compaction never removes; -1: there is none.
func (c *Cluster) newestTableSets() (int64, error) {
	end, err := c.client.GetOffset(topics.Control, 0, sarama.OffsetNewest)
	if err != nil {
		return 0, fmt.Errorf("offsets of topic %s: %w", topics.Control, err)
	}
	return end - 1, nil
}

// How long the broker may hold an answer back that has no record: closing waits
// for it.
const (
	readOnce = 20 * time.Millisecond
	follow   = 500 * time.Millisecond
)

// control visits the records of the control topic from an offset on, until visit
// returns false.
func (c *Cluster) control(ctx context.Context, from int64, wait time.Duration, visit func(topics.TableSets) bool) error {
	settings, err := c.config.sarama("tipoff-control")
	if err != nil {
		return err
	}
	settings.Consumer.Return.Errors = false // sarama then logs them and tries again
	settings.Consumer.MaxWaitTime = wait
	consumer, err := sarama.NewConsumer(c.config.Brokers, settings)
	if err != nil {
		return fmt.Errorf("read topic %s: %w", topics.Control, err)
	}
	defer consumer.Close()
	records, err := consumer.ConsumePartition(topics.Control, 0, from)
	if err != nil {
		return fmt.Errorf("read topic %s: %w", topics.Control, err)
	}
	defer records.Close()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("read topic %s: %w", topics.Control, ctx.Err())
		case m, open := <-records.Messages():
			if !open {
				return fmt.Errorf("read topic %s: the connection ended", topics.Control)
			}
			var sets topics.TableSets
			if err := json.Unmarshal(m.Value, &sets); err != nil {
				return fmt.Errorf("read topic %s, offset %d: %w", topics.Control, m.Offset, err)
			}
			if !visit(sets) {
				return nil
			}
		}
	}
}
