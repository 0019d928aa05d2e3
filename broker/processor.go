package broker

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kgo"

	"tipoff/topics"
)

// Processor runs a goka group processor for as long as its context lives.
type Processor struct {
	Lag
	Supervised
	cluster *Cluster
	owner   *Owner
	graph   *goka.GroupGraph
	gathers time.Duration
	state   atomic.Pointer[State]
	current atomic.Pointer[goka.Processor]
}

// NewProcessor prepares a processor of the graph, whose callbacks know the owner;
// Run runs it.
func (c *Cluster) NewProcessor(graph *goka.GroupGraph, owner *Owner) *Processor {
	p := &Processor{cluster: c, owner: owner, graph: graph}
	p.Lag.Group = string(graph.Group())
	owner.group = p.Lag.Group
	for _, input := range append(graph.InputStreams(), graph.LoopStream()) {
		if input != nil {
			p.Lag.topics = append(p.Lag.topics, input.Topic())
		}
	}
	p.say(State{Detail: "starting"})
	return p
}

// Gather lets the processor wait for more to read at once, no longer than that. It is
// called before Run.
func (p *Processor) Gather(wait time.Duration) { p.gathers = wait }

func (p *Processor) say(s State) { p.state.Store(&s) }

// State says whether the processor has its partitions and works on them. One that
// was given none, as there are more processors than partitions, is ready to take
// over.
func (p *Processor) State() State {
	s := *p.state.Load()
	s.Lag, s.Looked = p.All()
	s.Oldest = p.owner.Unfinished(time.Now())
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
	if why := p.owner.Refused(); len(why) > 0 {
		s.Failing, s.Detail = true, errors.Join(slices.Collect(maps.Values(why))...).Error()
		return s
	}
	s.Ready, s.Detail = true, fmt.Sprintf("works on %d of %d partitions", partitions, p.cluster.partitions(p.Group+"-table"))
	return s
}

// Run returns when ctx has ended and everything under way is finished.
func (p *Processor) Run(ctx context.Context) error {
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watch(ctx, p.cluster)
	}()
	p.supervise(ctx, p.cluster.log, p.Group, p.say, p.live)
	<-watched
	return nil
}

func (p *Processor) live(ctx context.Context) error {
	options, err := p.options()
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

// producePatience outlasts a restart of a broker. After a longer outage another processor
// is started, from what was committed.
const producePatience = 30 * time.Second

// produceRetries end a little before, so that what a broker that answers says is told.
const produceRetries = 12

func (p *Processor) options() ([]goka.ProcessorOption, error) {
	var settings [3]*sarama.Config
	for i := range settings {
		s, err := p.cluster.config.sarama("tipoff-processors")
		if err != nil {
			return nil, err
		}
		settings[i] = s
	}
	gather(settings[0], p.gathers)
	manager := goka.NewTopicManagerConfig()
	return []goka.ProcessorOption{
		goka.WithConsumerGroupBuilder(func(_ []string, group, clientID string) (sarama.ConsumerGroup, error) {
			settings[0].ClientID = clientID
			inner, err := p.cluster.newConsumerGroup(group, settings[0])
			if err != nil {
				return nil, err
			}
			return &watermarked{inner, p.owner}, nil
		}),
		goka.WithConsumerSaramaBuilder(goka.SaramaConsumerBuilderWithConfig(settings[1])),
		goka.WithProducerBuilder(func([]string, string, func() hash.Hash32) (goka.Producer, error) {
			client, err := p.cluster.config.newProducer("tipoff-processors", producePatience, kgo.RecordRetries(produceRetries))
			return newCoalescing(gokaProducer{client}, tableGap, messageGap), err
		}),
		goka.WithTopicManagerBuilder(goka.TopicManagerBuilderWithConfig(settings[2], manager)),
		goka.WithStorageBuilder(p.owner.storage),
		goka.WithUpdateCallback(p.owner.recover),
		goka.WithHasher(func() hash.Hash32 { return topics.NewKeyHash() }),
		goka.WithPartitionChannelSize(maxUnfinished),
		goka.WithLogger(quiet{p.cluster.log}),
	}, nil
}
