package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"tipoff/trace"
)

// Cluster is a connection to Kafka with our topics on it.
type Cluster struct {
	config Config
	layout Layout
	log    *slog.Logger
	client sarama.Client
	admin  sarama.ClusterAdmin
	epochs *epochs
	losses losses
	tracer *trace.Tracer                    // nil: nothing is traced
	topics atomic.Pointer[map[string]topic] // by name
}

// firstMoments is how long it is no wonder that the cluster cannot be used: it is
// starting too, or does not know everywhere yet of the topics that were just created.
const firstMoments = 5 * time.Second

// Connect reaches the cluster and creates its topics as the layout says. It waits
// for a cluster that is down, saying so, until ctx ends; a [MismatchError] or an
// unusable setting ends it at once.
func Connect(ctx context.Context, config Config, layout Layout, log *slog.Logger) (*Cluster, error) {
	if err := layout.Validate(); err != nil {
		return nil, err
	}
	settings, err := config.sarama("tipoff-admin")
	if err != nil {
		return nil, err
	}
	c := &Cluster{config: config, layout: layout, log: log}
	var mismatch MismatchError
	began := time.Now()
	err = untilDone(ctx, func() error {
		err := c.connect(settings)
		if errors.As(err, &mismatch) {
			return nil // it would stay
		}
		if err != nil {
			level := slog.LevelInfo
			if time.Since(began) > firstMoments {
				level = slog.LevelWarn
			}
			log.Log(ctx, level, "Kafka cannot be used yet, trying again", "brokers", config.Brokers, "error", err)
		}
		return err
	})
	switch {
	case mismatch != nil:
		return nil, mismatch
	case err != nil:
		return nil, fmt.Errorf("connect to Kafka at %v: %w", config.Brokers, err)
	}
	c.Lost(config.Lost)
	return c, nil
}

func (c *Cluster) connect(settings *sarama.Config) error {
	client, err := sarama.NewClient(c.config.Brokers, settings)
	if err != nil {
		return err
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return errors.Join(err, client.Close())
	}
	c.client, c.admin = client, admin
	if c.epochs, err = c.config.newEpochs(); err != nil {
		return errors.Join(err, admin.Close())
	}
	if err := c.EnsureTopics(); err != nil {
		return errors.Join(err, c.Close())
	}
	return nil
}

// Trace has the publishers and owners that are made from now on trace by the tracer; nil:
// none does.
func (c *Cluster) Trace(t *trace.Tracer) { c.tracer = t }

// Brokers are the addresses that the cluster was reached at.
func (c *Cluster) Brokers() []string { return c.config.Brokers }

// Close ends the connection; publishers, processors and views have their own.
func (c *Cluster) Close() error {
	c.epochs.admin.Close()
	return c.admin.Close()
}

// Reconnect lets go of what is known of the cluster, after it could not be asked: a
// broken connection stays so, and neither new leaders of partitions nor a group's
// new coordinator are looked for by themselves.
func (c *Cluster) Reconnect(groups ...string) {
	for _, b := range c.client.Brokers() {
		_ = b.Close() // some are not open
	}
	_ = c.client.RefreshMetadata()
	for _, group := range groups {
		_ = c.client.RefreshCoordinator(group)
	}
}

// Begins are the offsets of the oldest records of a topic, by partition.
func (c *Cluster) Begins(ctx context.Context, topic string) (map[int32]int64, error) {
	return c.ends(ctx, topic, sarama.OffsetOldest)
}

// Ends are the offsets behind the newest records of a topic, by partition.
func (c *Cluster) Ends(ctx context.Context, topic string) (map[int32]int64, error) {
	return c.ends(ctx, topic, sarama.OffsetNewest)
}

// ends are the offsets of each partition at sarama.OffsetNewest or OffsetOldest.
func (c *Cluster) ends(ctx context.Context, topic string, at int64) (map[int32]int64, error) {
	tails, err := c.tails(ctx, topic, Share{}.of(c.partitions(topic)), at)
	if err != nil {
		return nil, err
	}
	return endsOf(tails), nil
}
