package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// Lag is how many records a consumer group has still to read. goka's own figure
// reads the wrong consumer, so the broker is asked, now and then.
type Lag struct {
	Group  string
	topics []string

	mu      sync.Mutex
	byTopic map[string]int64
}

// lagEvery is how often the broker is asked.
const lagEvery = 2 * time.Second

func (l *Lag) watch(ctx context.Context, c *Cluster) {
	ticker := time.NewTicker(lagEvery)
	defer ticker.Stop()
	for {
		if lag, err := c.lag(l.Group, l.topics); err != nil {
			c.log.Info("the lag cannot be read", "group", l.Group, "error", err)
			c.Reconnect(l.Group)
		} else {
			l.mu.Lock()
			l.byTopic = lag
			l.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Inputs are the topics that the group reads.
func (l *Lag) Inputs() []string { return l.topics }

// ByTopic is the lag when last looked at.
func (l *Lag) ByTopic() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.byTopic)
}

// All is the lag over all topics when last looked at.
func (l *Lag) All() int64 {
	all := int64(0)
	for _, lag := range l.ByTopic() {
		all += lag
	}
	return all
}

// lag is how many records a consumer group has still to read, by topic. A group
// that has committed nothing on a partition has all of it to read.
func (c *Cluster) lag(group string, topics []string) (map[string]int64, error) {
	return c.LagTo(group, topics, c.Ends)
}

// LagTo is the lag to the given ends.
func (c *Cluster) LagTo(group string, topics []string, ends func(topic string) (map[int32]int64, error)) (map[string]int64, error) {
	partitions := map[string][]int32{}
	for _, topic := range topics {
		for p := range c.partitions(topic) {
			partitions[topic] = append(partitions[topic], int32(p))
		}
	}
	committed, err := c.admin.ListConsumerGroupOffsets(group, partitions)
	if errors.Is(err, sarama.ErrGroupIDNotFound) { // nobody has joined it yet
		committed, err = &sarama.OffsetFetchResponse{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	lag := map[string]int64{}
	for topic, ps := range partitions {
		newest, err := ends(topic)
		if err != nil {
			return nil, err
		}
		oldest, err := c.Begins(topic)
		if err != nil {
			return nil, err
		}
		for _, p := range ps {
			from := oldest[p]
			if block := committed.GetBlock(topic, p); block != nil && block.Offset > from {
				from = block.Offset
			}
			lag[topic] += max(0, newest[p]-from)
		}
	}
	return lag, nil
}
