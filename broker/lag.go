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

	mu    sync.Mutex
	looks [2]look // the newest one, and the one before
}

// look is what the broker said once.
type look struct {
	at      time.Time // zero: it was not asked yet
	byTopic map[string]int64
	ends    map[string]int64 // of topics, over their partitions
}

// lagEvery is how often the broker is asked.
const lagEvery = 2 * time.Second

func (l *Lag) watch(ctx context.Context, c *Cluster) {
	ticker := time.NewTicker(lagEvery)
	defer ticker.Stop()
	for {
		err := l.ask(ctx, c)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			c.log.Info("the lag cannot be read", "group", l.Group, "error", err)
			c.Reconnect(l.Group)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// ask looks once.
func (l *Lag) ask(ctx context.Context, c *Cluster) error {
	newest := look{ends: map[string]int64{}}
	lag, err := c.LagTo(ctx, l.Group, l.topics, func(ctx context.Context, topic string) (map[int32]int64, error) {
		ends, err := c.Ends(ctx, topic)
		for _, end := range ends {
			newest.ends[topic] += end
		}
		return ends, err
	})
	if err != nil {
		return err
	}
	newest.at, newest.byTopic = time.Now(), lag
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looks = [2]look{newest, l.looks[0]}
	return nil
}

// Flow is what moves through one topic to a consumer group.
type Flow struct {
	Topic    string
	End, Lag int64
	// Grown and Done are records a second between the last two looks: that came, and that
	// the group has finished; negative: not known.
	Grown, Done float64
}

// lookOld is how long a look tells what is.
const lookOld = 5 * lagEvery

// Flows lists what was seen of each topic lately. Topics of which nothing was are missing.
func (l *Lag) Flows(now time.Time) (flows []Flow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, before := &l.looks[0], &l.looks[1]
	if last.at.IsZero() || now.Sub(last.at) > lookOld {
		return nil
	}
	for _, topic := range l.topics {
		lag, looked := last.byTopic[topic]
		if !looked {
			continue
		}
		f := Flow{Topic: topic, End: last.ends[topic], Lag: lag, Grown: -1, Done: -1}
		lagBefore, lookedBefore := before.byTopic[topic]
		if span := last.at.Sub(before.at); lookedBefore && span < lookOld {
			grown := f.End - before.ends[topic]
			f.Grown = max(0, float64(grown)/span.Seconds())
			f.Done = max(0, float64(grown-f.Lag+lagBefore)/span.Seconds())
		}
		flows = append(flows, f)
	}
	return flows
}

// Inputs are the topics that the group reads.
func (l *Lag) Inputs() []string { return l.topics }

// ByTopic is the lag when last looked at.
func (l *Lag) ByTopic() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.looks[0].byTopic)
}

// All is the lag over all topics when last looked at; it is not known before all were.
func (l *Lag) All() (all int64, known bool) {
	byTopic := l.ByTopic()
	for _, topic := range l.topics {
		lag, looked := byTopic[topic]
		if !looked {
			return 0, false
		}
		all += lag
	}
	return all, true
}

// LagTo is how many records a consumer group has still to read up to the given ends, by
// topic. A group that has committed nothing on a partition has all of it to read.
func (c *Cluster) LagTo(ctx context.Context, group string, topics []string, ends func(ctx context.Context, topic string) (map[int32]int64, error)) (map[string]int64, error) {
	partitions := map[string][]int32{}
	for _, topic := range topics {
		for p := range c.partitions(topic) {
			partitions[topic] = append(partitions[topic], int32(p))
		}
	}
	committed, err := inTime(ctx, func() (*sarama.OffsetFetchResponse, error) {
		return c.admin.ListConsumerGroupOffsets(group, partitions)
	})
	if errors.Is(err, sarama.ErrGroupIDNotFound) { // nobody has joined it yet
		committed, err = &sarama.OffsetFetchResponse{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	lag := map[string]int64{}
	for topic, ps := range partitions {
		newest, err := ends(ctx, topic)
		if err != nil {
			return nil, err
		}
		oldest, err := c.Begins(ctx, topic)
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
