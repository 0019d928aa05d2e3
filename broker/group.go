package broker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// Group runs a consumer group's handler for as long as its context lives.
type Group struct {
	Lag
	Supervised
	cluster *Cluster
	handler sarama.ConsumerGroupHandler
	state   atomic.Pointer[State]
}

// NewGroup prepares a member of the consumer group; Run runs it.
func (c *Cluster) NewGroup(name string, topics []string, handler sarama.ConsumerGroupHandler) *Group {
	g := &Group{Lag: Lag{Group: name, topics: topics}, cluster: c, handler: handler}
	g.say(State{Detail: "starting"})
	return g
}

func (g *Group) say(s State) { g.state.Store(&s) }

// groupGathers is how long a group may wait for more to read: what it makes of the records
// answers no request.
const groupGathers = 200 * time.Millisecond

// State says whether the member is in its group.
func (g *Group) State() State {
	s := *g.state.Load()
	s.Lag, s.Looked = g.All()
	return s
}

// Run returns when ctx has ended and the handler has come to its end.
func (g *Group) Run(ctx context.Context) error {
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		g.watch(ctx, g.cluster)
	}()
	g.supervise(ctx, g.cluster.log, g.Lag.Group, g.say, g.live)
	<-watched
	return nil
}

func (g *Group) live(ctx context.Context) error {
	settings, err := g.cluster.config.sarama("tipoff-sink")
	if err != nil {
		return err
	}
	gather(settings, groupGathers)
	settings.Consumer.Return.Errors = false // sarama then logs them
	group, err := g.cluster.newConsumerGroup(g.Lag.Group, settings)
	if err != nil {
		return err
	}
	g.say(State{Detail: "joins its group"})
	for ctx.Err() == nil && err == nil {
		err = group.Consume(ctx, g.Lag.topics, announced{g.handler, g})
	}
	return errors.Join(err, group.Close())
}

// announced tells a group's state at the ends of each session.
type announced struct {
	sarama.ConsumerGroupHandler
	group *Group
}

func (a announced) Setup(session sarama.ConsumerGroupSession) error {
	partitions := 0
	for _, claim := range session.Claims() {
		partitions += len(claim)
	}
	a.group.say(State{Ready: true, Detail: fmt.Sprintf("works on %d partitions", partitions)})
	return a.ConsumerGroupHandler.Setup(session)
}

func (a announced) Cleanup(session sarama.ConsumerGroupSession) error {
	a.group.say(State{Detail: "joins its group again"})
	return a.ConsumerGroupHandler.Cleanup(session)
}
