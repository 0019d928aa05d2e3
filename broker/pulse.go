package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"tipoff/topics"
)

const (
	pulseEvery = time.Second
	// freshFor is how old good news may be: of the broker that it takes records, of a
	// view that it had all that its table held.
	freshFor = 5 * time.Second
	// faultFor is how long a failed post counts if none follows: balancers send none to
	// a gateway that takes none.
	faultFor = 10 * time.Second
)

// Pulse knows whether the broker takes facts: by asking whether their partitions have
// leaders and enough replicas, and by what became of those that were published last.
type Pulse struct {
	// Folder is where the broker inside this process keeps its log; "": there is none.
	// Such a broker does not say why it cannot store a record.
	Folder string

	cluster   *Cluster
	publisher *Publisher
	good      atomic.Int64 // when it was well last, in Unix nanoseconds
	fault     atomic.Pointer[error]
}

// NewPulse prepares a pulse of the cluster, which was just reached; Run takes it.
func (c *Cluster) NewPulse(publisher *Publisher) *Pulse {
	p := &Pulse{cluster: c, publisher: publisher}
	p.good.Store(time.Now().UnixNano())
	return p
}

// Run asks the broker now and then, until ctx ends.
func (p *Pulse) Run(ctx context.Context) error {
	ticker := time.NewTicker(pulseEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		err := p.cluster.takesFacts()
		if err != nil {
			p.cluster.Reconnect()
		} else if err = p.room(); err == nil {
			p.good.Store(time.Now().UnixNano())
		}
		if err = brief(err); err != nil && ctx.Err() == nil {
			p.cluster.log.Warn("the broker takes no records", "error", err)
		}
		p.fault.Store(&err)
	}
}

// room is an error if nothing can be written where the broker inside this process
// keeps its log.
func (p *Pulse) room() error {
	if p.Folder == "" {
		return nil
	}
	probe := filepath.Join(p.Folder, "room")
	err := os.WriteFile(probe, make([]byte, 4<<10), 0o600)
	return errors.Join(err, os.Remove(probe))
}

// State is ready while facts can be posted.
func (p *Pulse) State() State {
	age := time.Since(time.Unix(0, p.good.Load()))
	fault := p.fault.Load()
	failed := p.publisher.fault.Load()
	switch {
	case fault != nil && errors.Is(*fault, errDiskFull):
		return State{Failing: true, Detail: errDiskFull.Error()}
	case age > freshFor && (fault == nil || *fault == nil):
		return State{Failing: true, Detail: fmt.Sprintf("does not answer for %s: see that it runs and can be reached", age.Round(time.Second))}
	case age > freshFor:
		return State{Failing: true, Detail: fmt.Sprintf("takes no records for %s: %v", age.Round(time.Second), *fault)}
	case failed != nil && time.Since(failed.at) < faultFor:
		return State{Failing: true, Detail: fmt.Sprintf("the last post failed: %v", brief(failed.err))}
	}
	return State{Ready: true, Detail: "takes records"}
}

// takesFacts returns nil if the topics of facts can be written to.
func (c *Cluster) takesFacts() error {
	found, err := c.admin.DescribeTopics(topics.Facts())
	if err != nil {
		return err
	}
	return writable(found)
}

// writable returns nil if every partition has a leader, and as many replicas in sync as
// it needs to acknowledge; see [Layout].
func writable(found []*sarama.TopicMetadata) error {
	for _, topic := range found {
		if topic.Err != sarama.ErrNoError {
			return fmt.Errorf("topic %s: %w", topic.Name, topic.Err)
		}
		for _, p := range topic.Partitions {
			switch need := max(1, len(p.Replicas)-1); {
			case p.Err != sarama.ErrNoError && !errors.Is(p.Err, sarama.ErrReplicaNotAvailable):
				return fmt.Errorf("topic %s, partition %d: %w", topic.Name, p.ID, p.Err)
			case len(p.Isr) < need:
				return fmt.Errorf("topic %s, partition %d: %d replicas are in sync and it needs %d: start the other brokers", topic.Name, p.ID, len(p.Isr), need)
			}
		}
	}
	return nil
}

// postFault is why records could not be published.
type postFault struct {
	at  time.Time
	err error
}

// noted remembers what became of records: nil, or why they failed, unless it is they
// that the broker refuses.
func (p *Publisher) noted(err error) {
	switch {
	case err == nil:
		if p.fault.Load() != nil {
			p.fault.Store(nil)
		}
	case errors.Is(err, sarama.ErrMessageSizeTooLarge), errors.Is(err, sarama.ErrInvalidMessage):
	default:
		p.fault.Store(&postFault{time.Now(), err})
	}
}
