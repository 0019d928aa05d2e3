package node

import (
	"context"
	"errors"
	"fmt"
	"os"

	"tipoff/broker"
)

// Reach connects to Kafka, or to the broker inside the Tipoff that runs on the
// folder; where nobody does, alone makes the connection. The caller calls end.
func Reach(ctx context.Context, s *Settings,
	alone func(context.Context, *Settings) (*broker.Cluster, func() error, error)) (_ *broker.Cluster, end func() error, err error) {
	config := s.config()
	if s.Embedded() {
		found, running := broker.FindEmbedded(s.brokerFolder())
		if !running {
			return alone(ctx, s)
		}
		config = found
	}
	cluster, err := broker.Connect(ctx, config, s.Layout(), s.log())
	if err != nil {
		return nil, nil, err
	}
	return cluster, cluster.Close, nil
}

// OpenFolder opens the folder's broker for the time of a command, and runs nothing
// else on it.
func OpenFolder(ctx context.Context, s *Settings) (*broker.Cluster, func() error, error) {
	folder := s.brokerFolder()
	if _, err := os.Stat(folder); err != nil {
		return nil, nil, fmt.Errorf("there is no broker's folder %s: set TIPOFF_DATA to the folder of a Tipoff, or KAFKA_BOOTSTRAP_SERVERS", folder)
	}
	embedded, err := broker.OpenEmbedded(ctx, folder, s.Sync, tableValues)
	if err != nil {
		return nil, nil, err
	}
	cluster, err := broker.Connect(ctx, embedded.Config(), s.Layout(), s.log())
	if err != nil {
		return nil, nil, errors.Join(err, embedded.Close())
	}
	return cluster, func() error { return errors.Join(cluster.Close(), embedded.Close()) }, nil
}

// RunAlone runs everything in this process for the time of a command, for a folder
// on which nobody does.
func RunAlone(ctx context.Context, s *Settings) (*broker.Cluster, func() error, error) {
	n, err := Start(ctx, s, AllRoles...)
	if err != nil {
		return nil, nil, err
	}
	if err := n.Ready(ctx); err != nil {
		return nil, nil, n.Stop(err)
	}
	return n.cluster, func() error { return n.Stop(nil) }, nil
}
