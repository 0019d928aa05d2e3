package rebuild

import (
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff/broker"
	"tipoff/topics"
)

// controlKey is the one key of the control topic, from when a table set was called a
// build: another one would leave the former value on the compacted topic beside it.
const controlKey = "builds"

// announcePatience bounds writing the control topic.
const announcePatience = 15 * time.Second

// Announce tells every process which table sets there are, and creates their topics
// first.
func Announce(ctx context.Context, c *broker.Cluster, sets topics.TableSets) error {
	if err := c.CreateTopics(ctx, sets.All()); err != nil {
		return err
	}
	value, err := json.Marshal(sets)
	if err != nil {
		return err
	}
	p, err := c.NewPublisher(announcePatience)
	if err != nil {
		return err
	}
	err = p.Publish(ctx, []topics.Record{{Topic: topics.Control, Key: controlKey, Value: value, Received: time.Now()}})
	return errors.Join(err, p.Close())
}

// remove deletes the topics and groups of table sets that are no longer there, up to
// the last number in use. Groups go when their members have left, which is waited
// for.
func remove(ctx context.Context, c *broker.Cluster, sets topics.TableSets) error {
	there := map[int]bool{}
	for _, set := range sets.All() {
		there[set.Number] = true
	}
	var groups, names []string
	for number := range sets.Last + 1 {
		if there[number] {
			continue
		}
		gone := topics.TableSet{Number: number, Copied: number > 0}
		f, err := flowOf(gone)
		if err != nil {
			return err
		}
		groups = append(append(groups, f.groups()...), gone.Learner())
		for _, t := range gone.Topics() {
			names = append(names, t.Name)
		}
	}
	if err := c.DeleteGroups(ctx, groups); err != nil {
		return err
	}
	return c.DeleteTopics(names)
}
