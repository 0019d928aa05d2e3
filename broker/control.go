package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"

	"tipoff/topics"
)

// controlKey is the one key of the control topic.
const controlKey = "builds"

// controlPatience bounds reading and writing the control topic.
const controlPatience = 15 * time.Second

// TableSets is what the control topic says now. Where it says nothing yet, the first
// build serves.
func (c *Cluster) TableSets() (builds topics.TableSets, err error) {
	newest, err := c.newestTableSets()
	if err != nil || newest < 0 {
		return builds, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), controlPatience)
	defer cancel()
	err = c.control(ctx, newest, readOnce, func(b topics.TableSets) bool {
		builds = b
		return false
	})
	return builds, err
}

// FollowTableSets calls apply with what the control topic says now, if anything, and
// with each change, until ctx ends.
func (c *Cluster) FollowTableSets(ctx context.Context, apply func(topics.TableSets)) error {
	for pause := newBackoff(); ; {
		newest, err := c.newestTableSets()
		if err == nil {
			err = c.control(ctx, max(0, newest), follow, func(b topics.TableSets) bool {
				apply(b)
				return true
			})
		}
		if ctx.Err() != nil {
			return nil
		}
		c.log.Error("the control topic cannot be read, trying again", "error", err)
		pause.wait(ctx)
	}
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
// answers false.
func (c *Cluster) control(ctx context.Context, from int64, wait time.Duration, visit func(b topics.TableSets) bool) error {
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
			var b topics.TableSets
			if err := json.Unmarshal(m.Value, &b); err != nil {
				return fmt.Errorf("read topic %s, offset %d: %w", topics.Control, m.Offset, err)
			}
			if !visit(b) {
				return nil
			}
		}
	}
}

// SetTableSets tells every process which builds there are, and makes their topics
// first.
func (c *Cluster) SetTableSets(ctx context.Context, builds topics.TableSets) error {
	existing, err := c.admin.ListTopics()
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	wanted := topics.Shared()
	for _, b := range builds.All() {
		wanted = append(wanted, b.Topics()...)
	}
	if err := c.ensure(wanted, existing); err != nil {
		return err
	}
	for pause := newBackoff(); ; { // topics that are new are not known everywhere at once
		err := c.readSources(topicNames(wanted))
		if err == nil {
			break
		}
		if !pause.wait(ctx) {
			return err
		}
	}
	value, err := json.Marshal(builds)
	if err != nil {
		return err
	}
	p, err := c.NewPublisher(controlPatience)
	if err != nil {
		return err
	}
	err = p.Publish(ctx, []topics.Record{{Topic: topics.Control, Key: controlKey, Value: value, Received: time.Now()}})
	return errors.Join(err, p.Close())
}

// CatchUp waits until the groups have read, and finished, what stands on their
// topics, and what followed from it on the way through them: hops is the length
// of that way. Live traffic goes on meanwhile and is not waited for. left is
// called with how many records are still to read.
func (c *Cluster) CatchUp(ctx context.Context, reads map[string][]string, hops int, left func(int64)) error {
	ticker := time.NewTicker(catchUpEvery)
	defer ticker.Stop()
	for range hops {
		ends := map[string]map[int32]int64{}
		for _, names := range reads {
			for _, topic := range names {
				err := c.insist(ctx, nil, func() (err error) {
					ends[topic], err = c.ends(topic, sarama.OffsetNewest)
					return err
				})
				if err != nil {
					return err
				}
			}
		}
		for {
			behind := int64(0)
			for group, names := range reads {
				err := c.insist(ctx, []string{group}, func() error {
					n, err := c.behind(group, names, ends)
					if err == nil {
						behind += n
					}
					return err
				})
				if err != nil {
					return err
				}
			}
			left(behind)
			if behind == 0 {
				break
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

const catchUpEvery = 200 * time.Millisecond

// insist asks the cluster again for a minute: leaders of partitions and coordinators
// of groups change, and new topics have none at first.
func (c *Cluster) insist(ctx context.Context, groups []string, ask func() error) error {
	for deadline := time.Now().Add(time.Minute); ; {
		err := ask()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		c.reconnect(groups...)
		select {
		case <-time.After(catchUpEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *Cluster) behind(group string, names []string, ends map[string]map[int32]int64) (behind int64, err error) {
	lag, err := c.lagTo(group, names, func(topic string) (map[int32]int64, error) { return ends[topic], nil })
	for _, n := range lag {
		behind += n
	}
	return behind, err
}

// Left is how many records the groups have still to read.
func (c *Cluster) Left(reads map[string][]string) (left int64, err error) {
	for group, names := range reads {
		lag, err := c.lag(group, names)
		if err != nil {
			return 0, err
		}
		for _, n := range lag {
			left += n
		}
	}
	return left, nil
}

// FactsComplete says whether the facts' topics hold every record they ever had; else
// why they do not.
func (c *Cluster) FactsComplete() (whole bool, why string, err error) {
	for _, name := range []string{topics.Events, topics.Coupons} { // of users the newest is kept for ever
		oldest, err := c.ends(name, sarama.OffsetOldest)
		if err != nil {
			return false, "", err
		}
		for p, offset := range oldest {
			if offset > 0 {
				return false, fmt.Sprintf("%s, partition %d, begins at offset %d", name, p, offset), nil
			}
		}
	}
	return true, "", nil
}

// Remove deletes the topics and groups of builds that are no longer there, up to
// the last number in use. Groups go when their members have left, which is waited
// for.
func (c *Cluster) Remove(ctx context.Context, builds topics.TableSets) error {
	there := map[int]bool{}
	for _, b := range builds.All() {
		there[b.Number] = true
	}
	existing, err := c.admin.ListTopics()
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	groups, err := c.admin.ListConsumerGroups()
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	for number := range builds.Last + 1 {
		if there[number] {
			continue
		}
		gone := topics.TableSet{Number: number, Copied: number > 0}
		for _, group := range append(slices.Collect(maps.Keys(gone.Reads())), gone.Learner()) {
			if _, is := groups[group]; is {
				if err := c.removeGroup(ctx, group); err != nil {
					return err
				}
			}
		}
		for _, t := range gone.Topics() {
			if _, is := existing[t.Name]; !is {
				continue
			}
			if err := c.admin.DeleteTopic(t.Name); err != nil && !errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
				return fmt.Errorf("delete topic %s: %w", t.Name, err)
			}
			c.log.Info("topic deleted", "topic", t.Name)
		}
	}
	return nil
}

func (c *Cluster) removeGroup(ctx context.Context, group string) error {
	for pause := newBackoff(); ; {
		err := c.admin.DeleteConsumerGroup(group)
		switch {
		case err == nil, errors.Is(err, sarama.ErrGroupIDNotFound):
			return nil
		case !errors.Is(err, sarama.ErrNonEmptyGroup) && !strings.Contains(err.Error(), "not empty"):
			return fmt.Errorf("delete group %s: %w", group, err)
		}
		if !pause.wait(ctx) {
			return fmt.Errorf("delete group %s: %w", group, err)
		}
	}
}
