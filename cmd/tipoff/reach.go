package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tipoff/broker"
)

// reach connects to Kafka, or to the broker inside the Tipoff that runs on the
// folder; where nobody does, alone makes the connection. The caller calls end.
func (s *settings) reach(ctx context.Context, t *terminal,
	alone func(context.Context, *terminal) (*broker.Cluster, func() error, error)) (_ *broker.Cluster, end func() error, err error) {
	config := s.broker()
	if s.embedded() {
		brokers, running := broker.FindEmbedded(filepath.Join(s.Data, "broker"))
		if !running {
			return alone(ctx, t)
		}
		config.Brokers = brokers
	}
	cluster, err := broker.Connect(ctx, config, s.layout(), s.logger(t))
	if err != nil {
		return nil, nil, err
	}
	return cluster, cluster.Close, nil
}

// openFolder opens the folder's broker for the time of a command.
func (s *settings) openFolder(ctx context.Context, t *terminal) (*broker.Cluster, func() error, error) {
	folder := filepath.Join(s.Data, "broker")
	if _, err := os.Stat(folder); err != nil {
		return nil, nil, fmt.Errorf("there is no broker's folder %s: set TIPOFF_DATA to the folder of a Tipoff, or KAFKA_BOOTSTRAP_SERVERS", folder)
	}
	embedded, err := broker.OpenEmbedded(folder)
	if err != nil {
		return nil, nil, err
	}
	config := s.broker()
	config.Brokers = embedded.Brokers()
	cluster, err := broker.Connect(ctx, config, s.layout(), s.logger(t))
	if err != nil {
		return nil, nil, errors.Join(err, embedded.Close())
	}
	return cluster, func() error { return errors.Join(cluster.Close(), embedded.Close()) }, nil
}
