package broker

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/codec"
	"github.com/lovoo/goka/storage"

	"tipoff/topics"
)

// Update is one change of a table, as a view sees it.
type Update struct {
	Partition int32
	Key       string
	Value     []byte    // valid during the call only; nil: deleted
	Received  time.Time // when the gateway received the fact behind it; zero: not known
	// Trace is the text of [topics.HeaderTrace], and Offset that of the record: neither is
	// there of what lay behind when a life of the view began.
	Trace  string
	Offset int64
}

// View follows the partitions of a group's table, all unless it has a [Share] of them,
// and hands each change to apply, which is called from one goroutine a partition. Of what
// lies behind it when a life of it begins it hands over the newest changes alone; see
// [newest].
type View struct {
	Supervised
	freshness
	cluster *Cluster
	table   string
	values  TableValues
	apply   func(Update)
	share   Share
	gathers time.Duration
	state   atomic.Pointer[State]
	caught  atomic.Bool
	end     atomic.Pointer[context.CancelFunc] // of the present life

	mu      sync.Mutex
	offsets map[int32]*offsetOnly
	behinds map[int32]int64 // ends of the logs as the present life began
	leaders map[int32]int32 // epochs of those that the present life reads from
}

// NewView prepares a view of the table; Run runs it. Without [TableValues.Epoch] it hands
// every change over.
func (c *Cluster) NewView(table string, values TableValues, apply func(Update)) *View {
	v := &View{cluster: c, table: table, values: values, apply: apply,
		offsets: map[int32]*offsetOnly{}, behinds: map[int32]int64{}, leaders: map[int32]int32{}}
	v.say(State{Detail: "starting"})
	return v
}

// Gather lets the view wait for more to read at once, no longer than that. It is called
// before Run.
func (v *View) Gather(wait time.Duration) { v.gathers = wait }

func (v *View) say(s State) { v.state.Store(&s) }

// State is ready while the view follows its table. One that had all of it once is spared
// otherwise, as what it has is still the best answer.
func (v *View) State() State { return v.of(*v.state.Load()) }

// Run returns when ctx has ended.
func (v *View) Run(ctx context.Context) error {
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		v.watch(ctx)
	}()
	v.supervise(ctx, v.cluster.log, v.table, func(s State) { v.trouble.Store(&s.Detail) }, v.live)
	<-watched
	return nil
}

// live runs the view until ctx or the life ends. A life that ends as a partition has
// another leader is followed by the next one at once.
func (v *View) live(ctx context.Context) error {
	for {
		life, end := context.WithCancel(ctx)
		v.end.Store(&end)
		err := v.liveOnce(life)
		moved := life.Err() != nil || errors.Is(err, errNewLeader)
		end()
		if ctx.Err() != nil || !moved {
			return err
		}
	}
}

func (v *View) liveOnce(ctx context.Context) error {
	var settings [2]*sarama.Config
	for i := range settings {
		s, err := v.cluster.config.sarama("tipoff-api")
		if err != nil {
			return err
		}
		settings[i] = s
	}
	gather(settings[0], v.gathers)
	client, err := sarama.NewClient(v.cluster.config.Brokers, settings[0])
	if err != nil {
		return err
	}
	// goka leaves a view's connections open when its Run ends.
	opened := []io.Closer{client}
	defer func() {
		for _, c := range slices.Backward(opened) {
			_ = c.Close() // some are closed already
		}
	}()
	if err := v.compare(ctx, client); err != nil {
		return err
	}
	view, err := goka.NewView(v.cluster.config.Brokers, goka.Table(v.table), new(codec.Bytes),
		goka.WithViewConsumerSaramaBuilder(func([]string, string) (sarama.Consumer, error) {
			consumer, err := sarama.NewConsumerFromClient(client)
			if err == nil {
				opened = append(opened, consumer)
			}
			return sharedConsumer{consumer, v}, err
		}),
		goka.WithViewTopicManagerBuilder(func(brokers []string) (goka.TopicManager, error) {
			manager, err := goka.TopicManagerBuilderWithConfig(settings[1], goka.NewTopicManagerConfig())(brokers)
			if err == nil {
				opened = append(opened, manager)
			}
			return sharedManager{manager, v}, err
		}),
		goka.WithViewStorageBuilder(v.storage),
		goka.WithViewCallback(func(ctx goka.UpdateContext, _ storage.Storage, key string, value []byte) error {
			if !v.isOfLeader(client, ctx.Partition()) {
				return errNewLeader
			}
			v.update(ctx, key, value)
			return nil
		}),
		goka.WithViewHasher(func() hash.Hash32 { return topics.NewKeyHash() }),
		goka.WithViewLogger(quiet{v.cluster.log}),
	)
	if err != nil {
		return err
	}
	v.living.Store(true)
	defer v.living.Store(false)
	return view.Run(ctx)
}

// storage gives each life of the view the offset at which the last one stopped.
func (v *View) storage(_ string, partition int32) (storage.Storage, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.offsets[partition] == nil {
		v.offsets[partition] = &offsetOnly{}
	}
	o := v.offsets[partition]
	o.held = nil // of a life that has ended: it is read again
	if v.values.Epoch != nil && v.appliedOf(partition) < v.behinds[partition] {
		o.held, o.until = newNewest[time.Time](v.values), v.behinds[partition]
	}
	return o, nil
}

// update applies a change, or holds it while more are known to follow.
func (v *View) update(ctx goka.UpdateContext, key string, value []byte) {
	headers := topics.ParseHeaders(maps.All(ctx.Headers()))
	o := v.offsetOf(ctx.Partition())
	if o.held == nil {
		v.apply(Update{Partition: ctx.Partition(), Key: key, Value: value, Received: headers.Received, Trace: headers.Trace, Offset: ctx.Offset()})
		return
	}
	apply := func(key string, value []byte, received time.Time) {
		v.apply(Update{Partition: ctx.Partition(), Key: key, Value: value, Received: received})
	}
	o.held.add(key, value, headers.Received)
	switch {
	case ctx.Offset()+1 >= o.until:
		o.held.apply(apply)
		o.held = nil
	case o.held.full():
		o.held.apply(apply)
	}
}

func (v *View) offsetOf(partition int32) *offsetOnly {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.offsets[partition]
}

// behind is how many records of the table, up to the ends, the view has not applied yet.
func (v *View) behind(ends map[int32]int64) (behind int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for partition, end := range ends {
		behind += max(0, end-v.appliedOf(partition))
	}
	return behind
}

// CatchUp waits until the view has applied all that the table holds now.
func (v *View) CatchUp(ctx context.Context) error {
	var ends map[int32]int64
	err := untilDone(ctx, func() error {
		tails, err := v.cluster.tails(ctx, v.table, v.followed(), sarama.OffsetNewest)
		ends = endsOf(tails)
		return err
	})
	if err != nil {
		return fmt.Errorf("catch up with table %s: %w", v.table, err)
	}
	ticker := time.NewTicker(watchOften)
	defer ticker.Stop()
	for v.behind(ends) > 0 {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("catch up with table %s: %w", v.table, ctx.Err())
		}
	}
	return nil
}

const (
	watchOften  = 50 * time.Millisecond // until the view has caught up
	watchRarely = time.Second
)

// watch keeps the state up to date. goka's own word that a view is running comes
// before it has caught up after a reconnect, so the offsets are compared.
func (v *View) watch(ctx context.Context) {
	ticker := time.NewTicker(watchOften)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		tails, err := v.cluster.tails(ctx, v.table, v.followed(), sarama.OffsetNewest)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			v.checkTails(tails)
		}
		ends := endsOf(tails)
		behind := v.behind(ends)
		if err == nil {
			v.saw(ends, now, v.behind)
		}
		switch {
		case err != nil:
			v.say(State{Ready: v.caught.Load(), Detail: fmt.Sprintf("the broker does not answer: %v", brief(err))})
			v.cluster.Reconnect()
		case v.caught.Load():
			v.say(State{Ready: true, Detail: "follows its table", Lag: behind, Looked: true})
		case behind == 0:
			v.caught.Store(true)
			ticker.Reset(watchRarely)
			v.say(State{Ready: true, Detail: "follows its table", Looked: true})
		default:
			v.say(State{Detail: "catches up with its table", Lag: behind, Looked: true})
		}
	}
}
