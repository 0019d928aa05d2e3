package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tipoff/broker"
	"tipoff/node"
	"tipoff/rebuild"
)

// rebuildMode fills the tables again.
type rebuildMode struct {
	From            string        `enum:"auto,topics,database" default:"auto" placeholder:"WHERE" help:"topics, database, or auto: topics where they still hold everything, else the database (default ${default})."`
	TablePartitions int           `placeholder:"N" help:"Partitions of the new tables, a power of two (default: as the facts' topics)."`
	Grace           time.Duration `default:"1m" help:"How long the former tables are kept up for gateways that are slow to change over (default ${default})."`
	Status          bool          `help:"Only say which tables there are, and how far a rebuild has come."`
	Cancel          bool          `help:"Give up a rebuild that is under way."`
	node.Settings
}

func (rebuildMode) Help() string {
	return `Fills new tables beside those that serve, lets every gateway change over to them
once they hold everything, and removes the former ones: after a lost table, a change
of what tables hold, or to spread them over more partitions. Posts and answers go on
all along. The processors and gateways that run do the work; with the broker inside
the process, it is the Tipoff that runs on TIPOFF_DATA, or else this command itself.
Interrupted, the same command goes on.`
}

func (m *rebuildMode) Run(ctx context.Context, t *terminal) error {
	m.Log = m.Logger(t.errors)
	if m.TablePartitions != 0 {
		if err := (broker.Layout{Partitions: m.TablePartitions, Retention: m.Retention}).Validate(); err != nil {
			return fmt.Errorf("--table-partitions: must be a power of two from 1 to 1024, is %d", m.TablePartitions)
		}
	}
	cluster, end, err := node.Reach(ctx, &m.Settings, node.RunAlone)
	if err != nil {
		return err
	}
	r := &rebuild.Rebuild{
		From: m.From, Partitions: m.TablePartitions, Grace: m.Grace,
		Cluster: cluster, Database: m.OpenDatabase, Out: t.out, Progress: t.errors,
	}
	switch {
	case m.Status:
		err = r.Status(ctx)
	case m.Cancel:
		err = r.Cancel(ctx)
	default:
		err = r.Run(ctx)
	}
	return errors.Join(err, end())
}
