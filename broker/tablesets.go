package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/sethvargo/go-retry"

	"tipoff/topics"
)

// What package rebuild asks of the cluster for a table set that comes or goes.

// CreateTopics creates the topics of table sets, and waits until the cluster knows
// them: topics that are new are not known everywhere at once.
func (c *Cluster) CreateTopics(ctx context.Context, sets []topics.TableSet) error {
	existing, err := c.admin.ListTopics()
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	wanted := topics.Shared()
	for _, set := range sets {
		wanted = append(wanted, set.Topics()...)
	}
	if err := c.ensure(wanted, existing, c.layout); err != nil {
		return err
	}
	return untilDone(ctx, func() error { return c.readSources(topicNames(wanted)) })
}

// DeleteTopics deletes those of the topics that are there.
func (c *Cluster) DeleteTopics(names []string) error {
	existing, err := c.admin.ListTopics()
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	for _, name := range names {
		if _, is := existing[name]; !is {
			continue
		}
		if err := c.admin.DeleteTopic(name); err != nil && !errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
			return fmt.Errorf("delete topic %s: %w", name, err)
		}
		c.log.Info("topic deleted", "topic", name)
	}
	return nil
}

// DeleteGroups deletes those of the groups that are there, when their members have
// left, which is waited for.
func (c *Cluster) DeleteGroups(ctx context.Context, names []string) error {
	existing, err := c.admin.ListConsumerGroups()
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	for _, name := range names {
		if _, is := existing[name]; !is {
			continue
		}
		err := retry.Do(ctx, Backoff(), func(context.Context) error {
			err := c.admin.DeleteConsumerGroup(name)
			switch {
			case errors.Is(err, sarama.ErrGroupIDNotFound):
				return nil
			case errors.Is(err, sarama.ErrNonEmptyGroup), err != nil && strings.Contains(err.Error(), "not empty"):
				return retry.RetryableError(err)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("delete group %s: %w", name, err)
		}
	}
	return nil
}

// NewSyncProducer connects a producer that outlasts short troubles of a broker.
func (c *Cluster) NewSyncProducer(clientID string) (sarama.SyncProducer, error) {
	settings, err := c.config.sarama(clientID)
	if err != nil {
		return nil, err
	}
	settings.Producer.Retry.Max = 10
	settings.Producer.Retry.Backoff = 250 * time.Millisecond
	producer, err := sarama.NewSyncProducer(c.config.Brokers, settings)
	if err != nil {
		return nil, fmt.Errorf("connect a producer: %w", err)
	}
	return producer, nil
}
