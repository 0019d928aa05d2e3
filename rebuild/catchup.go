package rebuild

import (
	"context"
	"time"

	"github.com/sethvargo/go-retry"

	"tipoff/broker"
	"tipoff/topics"
)

const (
	// askEvery is how often the broker is asked how far the groups have come.
	askEvery = 200 * time.Millisecond
	// askFor is how long it is asked in vain: leaders of partitions and coordinators of
	// groups change, and new topics have none at first.
	askFor = time.Minute
)

// catchUp waits until the groups that fill the table set have read, and finished,
// what stands on their topics, and what followed from it on its way through them. Live
// traffic goes on meanwhile and is not waited for. left is called with how many
// records are still to read.
func catchUp(ctx context.Context, c *broker.Cluster, set topics.TableSet, left func(int64)) error {
	f, err := flowOf(set)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for range f.hops() + 1 { // one to be safe
		ends, err := f.ends(ctx, c)
		if err != nil {
			return err
		}
		for {
			behind, err := f.behind(ctx, c, func(_ context.Context, topic string) (map[int32]int64, error) { return ends[topic], nil })
			if err != nil {
				return err
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

// Left is how many records the groups that fill a table set have still to read.
func Left(ctx context.Context, c *broker.Cluster, set topics.TableSet) (int64, error) {
	f, err := flowOf(set)
	if err != nil {
		return 0, err
	}
	return f.behind(ctx, c, c.Ends)
}

// ends are where the topics end now, by topic and partition.
func (f flow) ends(ctx context.Context, c *broker.Cluster) (map[string]map[int32]int64, error) {
	ends := map[string]map[int32]int64{}
	for _, names := range f.reads {
		for _, topic := range names {
			err := ask(ctx, c, "", func() (err error) {
				ends[topic], err = c.Ends(ctx, topic)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return ends, nil
}

// behind is how many records the groups have to read up to the ends.
func (f flow) behind(ctx context.Context, c *broker.Cluster, ends func(ctx context.Context, topic string) (map[int32]int64, error)) (behind int64, err error) {
	for group, names := range f.reads {
		err := ask(ctx, c, group, func() error {
			lag, err := c.LagTo(ctx, group, names, ends)
			for _, n := range lag {
				behind += n
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return behind, nil
}

// ask asks the cluster, again and again while that fails. group is "" where the
// question is not of one.
func ask(ctx context.Context, c *broker.Cluster, group string, question func() error) error {
	return retry.Do(ctx, retry.WithMaxDuration(askFor, retry.NewConstant(askEvery)), func(context.Context) error {
		err := question()
		switch {
		case err == nil:
			return nil
		case group == "":
			c.Reconnect()
		default:
			c.Reconnect(group)
		}
		return retry.RetryableError(err)
	})
}
