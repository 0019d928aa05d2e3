package broker

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"

	"tipoff"
)

// State is how a processor or a view is doing, for readiness.
type State struct {
	Ready  bool
	Detail string // what it does, or why it is not ready
}

// supervise runs one life after another until ctx ends, with a pause after each
// that fails. goka's processors and views can be run once only, so each life is
// built anew.
func supervise(ctx context.Context, log *slog.Logger, name string, say func(State), life func(context.Context) error) {
	pause := newBackoff()
	for ctx.Err() == nil {
		began := time.Now()
		err := life(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > time.Minute {
			pause = newBackoff()
		}
		say(State{Detail: fmt.Sprintf("ended, is being started again: %v", err)})
		log.Error("ended, is being started again", "part", name, "error", err)
		pause.wait(ctx)
	}
	say(State{Detail: "stopped"})
}

// Processor runs a goka group processor for as long as its context lives.
type Processor struct {
	cluster *Cluster
	graph   *goka.GroupGraph
	state   atomic.Pointer[State]
	current atomic.Pointer[goka.Processor]
}

// NewProcessor prepares a processor of the graph; Run runs it.
func (c *Cluster) NewProcessor(graph *goka.GroupGraph) *Processor {
	p := &Processor{cluster: c, graph: graph}
	p.say(State{Detail: "starting"})
	return p
}

func (p *Processor) say(s State) { p.state.Store(&s) }

// State says whether the processor has its partitions and works on them. One that
// was given none, as there are more processors than partitions, is ready to take
// over.
func (p *Processor) State() State {
	s := *p.state.Load()
	current := p.current.Load()
	if current == nil || !current.Recovered() {
		return s
	}
	partitions := 0
	for _, stats := range current.Stats().Group {
		if stats.TableStats != nil {
			partitions++
		}
	}
	return State{Ready: true, Detail: fmt.Sprintf("works on %d of %d partitions", partitions, p.cluster.layout.Partitions)}
}

// Run returns when ctx has ended and everything under way is finished.
func (p *Processor) Run(ctx context.Context) error {
	supervise(ctx, p.cluster.log, string(p.graph.Group()), p.say, p.live)
	return nil
}

func (p *Processor) live(ctx context.Context) error {
	options, err := p.cluster.processorOptions()
	if err != nil {
		return err
	}
	processor, err := goka.NewProcessor(p.cluster.config.Brokers, p.graph, options...)
	if err != nil {
		return err
	}
	p.say(State{Detail: "joins its group and recovers its table"})
	p.current.Store(processor)
	defer p.current.Store(nil)
	return processor.Run(ctx)
}

func (c *Cluster) processorOptions() ([]goka.ProcessorOption, error) {
	var settings [4]*sarama.Config
	for i := range settings {
		s, err := c.config.sarama("tipoff-processors")
		if err != nil {
			return nil, err
		}
		settings[i] = s
	}
	// Between processors nothing may be lost, so a produce outlasts any outage
	// that people end within ten minutes.
	settings[2].Metadata.Retry.Max = 2400
	settings[2].Metadata.Retry.Backoff = 250 * time.Millisecond
	settings[2].Producer.Retry.Max = 2400
	settings[2].Producer.Retry.Backoff = 250 * time.Millisecond
	topics := goka.NewTopicManagerConfig()
	return []goka.ProcessorOption{
		goka.WithConsumerGroupBuilder(joinAgain(goka.ConsumerGroupBuilderWithConfig(settings[0]))),
		goka.WithConsumerSaramaBuilder(goka.SaramaConsumerBuilderWithConfig(settings[1])),
		goka.WithProducerBuilder(goka.ProducerBuilderWithConfig(settings[2])),
		goka.WithTopicManagerBuilder(goka.TopicManagerBuilderWithConfig(settings[3], topics)),
		goka.WithStorageBuilder(newMemory),
		goka.WithHasher(func() hash.Hash32 { return tipoff.NewKeyHash() }),
		goka.WithPartitionChannelSize(1024),
		goka.WithLogger(quiet{c.log}),
	}, nil
}

// joinAgain wraps a consumer group so that it joins again at once when a
// rebalance ends its session: goka itself would sleep for five seconds.
func joinAgain(build goka.ConsumerGroupBuilder) goka.ConsumerGroupBuilder {
	return func(brokers []string, group, clientID string) (sarama.ConsumerGroup, error) {
		inner, err := build(brokers, group, clientID)
		if err != nil {
			return nil, err
		}
		return &rejoining{inner}, nil
	}
}

type rejoining struct{ sarama.ConsumerGroup }

func (r *rejoining) Consume(ctx context.Context, topics []string, handler sarama.ConsumerGroupHandler) error {
	for ctx.Err() == nil {
		if err := r.ConsumerGroup.Consume(ctx, topics, handler); err != nil {
			return err
		}
	}
	return nil
}

// Update is one change of a table, as a view sees it.
type Update struct {
	Partition int32
	Key       string
	Value     []byte    // valid during the call only; nil: deleted
	Received  time.Time // when the gateway took in the fact behind it; zero: not known
}

// View follows every partition of a group's table and hands each change to apply,
// which is called from one goroutine a partition.
type View struct {
	cluster *Cluster
	table   string
	apply   func(Update)
	state   atomic.Pointer[State]
	caught  atomic.Bool

	mu      sync.Mutex
	offsets map[int32]*offsetOnly
}

// NewView prepares a view of the table; Run runs it.
func (c *Cluster) NewView(table string, apply func(Update)) *View {
	v := &View{cluster: c, table: table, apply: apply, offsets: map[int32]*offsetOnly{}}
	v.say(State{Detail: "starting"})
	return v
}

func (v *View) say(s State) { v.state.Store(&s) }

// State is ready from the first time on that the view had all that the table
// held; it stays so while a lost connection is made again, as what it has is still
// the best answer.
func (v *View) State() State { return *v.state.Load() }

// Run returns when ctx has ended.
func (v *View) Run(ctx context.Context) error {
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		v.watch(ctx)
	}()
	supervise(ctx, v.cluster.log, v.table, func(s State) {
		s.Ready = v.caught.Load() && ctx.Err() == nil
		v.say(s)
	}, v.live)
	<-watched
	return nil
}

func (v *View) live(ctx context.Context) error {
	var settings [2]*sarama.Config
	for i := range settings {
		s, err := v.cluster.config.sarama("tipoff-api")
		if err != nil {
			return err
		}
		settings[i] = s
	}
	view, err := goka.NewView(v.cluster.config.Brokers, goka.Table(v.table), nothing{},
		goka.WithViewConsumerSaramaBuilder(goka.SaramaConsumerBuilderWithConfig(settings[0])),
		goka.WithViewTopicManagerBuilder(goka.TopicManagerBuilderWithConfig(settings[1], goka.NewTopicManagerConfig())),
		goka.WithViewStorageBuilder(v.storage),
		goka.WithViewCallback(v.update),
		goka.WithViewHasher(func() hash.Hash32 { return tipoff.NewKeyHash() }),
		goka.WithViewLogger(quiet{v.cluster.log}),
	)
	if err != nil {
		return err
	}
	return view.Run(ctx)
}

// storage gives each life of the view the offset at which the last one stopped.
func (v *View) storage(_ string, partition int32) (storage.Storage, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.offsets[partition] == nil {
		v.offsets[partition] = &offsetOnly{}
	}
	return v.offsets[partition], nil
}

func (v *View) update(ctx goka.UpdateContext, _ storage.Storage, key string, value []byte) error {
	u := Update{Partition: ctx.Partition(), Key: key, Value: value}
	if received, err := tipoff.ParseReceived(ctx.Headers()[tipoff.HeaderReceived]); err == nil {
		u.Received = received
	}
	v.apply(u)
	return nil
}

// Behind is how many records of the table the view has not applied yet.
func (v *View) Behind() (int64, error) {
	ends, err := v.cluster.ends(v.table, sarama.OffsetNewest)
	if err != nil {
		return 0, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	behind := int64(0)
	for partition, end := range ends {
		applied := int64(0)
		if at := v.offsets[partition]; at != nil {
			offset, _ := at.GetOffset(-1)
			applied = offset + 1
		}
		behind += max(0, end-applied)
	}
	return behind, nil
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
		behind, err := v.Behind()
		switch {
		case err != nil:
			v.say(State{Ready: v.caught.Load(), Detail: fmt.Sprintf("the broker does not answer: %v", err)})
		case v.caught.Load():
			v.say(State{Ready: true, Detail: fmt.Sprintf("%d records behind", behind)})
		case behind == 0:
			v.caught.Store(true)
			ticker.Reset(watchRarely)
			v.say(State{Ready: true, Detail: "caught up"})
		default:
			v.say(State{Detail: fmt.Sprintf("catching up, %d records behind", behind)})
		}
	}
}

// nothing is the codec of a view that decodes by itself.
type nothing struct{}

func (nothing) Encode(any) ([]byte, error) { return nil, errors.ErrUnsupported }
func (nothing) Decode([]byte) (any, error) { return nil, errors.ErrUnsupported }

// quiet sends goka's chatter to the debug level.
type quiet struct{ log *slog.Logger }

func (q quiet) Print(words ...any)              { q.log.Debug(fmt.Sprint(words...)) }
func (q quiet) Println(words ...any)            { q.log.Debug(fmt.Sprint(words...)) }
func (q quiet) Printf(form string, args ...any) { q.log.Debug(fmt.Sprintf(form, args...)) }
