package main

import (
	"context"
	"errors"
	"fmt"

	"tipoff/broker"
	"tipoff/node"
	"tipoff/rejected"
)

// rejectedMode works on the records that could not be used.
type rejectedMode struct {
	List  rejectedListMode  `cmd:"" help:"List them, the newest last, with the count by reason."`
	Retry rejectedRetryMode `cmd:"" help:"Publish them again where they came from."`
}

func (rejectedMode) Help() string {
	return `A record that cannot be used - not what the contract says, a coupon id with another
content, a table value that is broken - goes to the topic tipoff-rejected, with the
reason, and holds up nothing. Here they are read, and published again once what was
wrong is mended. Works on KAFKA_BOOTSTRAP_SERVERS, else on the embedded broker under
TIPOFF_DATA, whether a Tipoff is running there or not.`
}

// where is the broker whose rejections are worked on.
type where struct {
	node.Folder
	node.Kafka
	node.Topics
	node.Logs
}

func (w *where) reach(ctx context.Context, t *terminal) (*broker.Cluster, func() error, error) {
	s := &node.Settings{Folder: w.Folder, Kafka: w.Kafka, Topics: w.Topics, Log: t.logger(w.Logs)}
	return node.Reach(ctx, s, node.OpenFolder)
}

// rejectedListMode lists rejections.
type rejectedListMode struct {
	rejected.Selected
	Limit int  `default:"1000" placeholder:"N" help:"The newest N at the most (default ${default}); the counts are of all."`
	JSON  bool `name:"json" help:"One object a line, with the refused value in base64, and no counts."`
	where
}

func (m *rejectedListMode) Run(ctx context.Context, t *terminal) error {
	if m.Limit < 1 {
		return fmt.Errorf("--limit: must be 1 or more, is %d", m.Limit)
	}
	cluster, end, err := m.reach(ctx, t)
	if err != nil {
		return err
	}
	err = rejected.List(ctx, cluster, rejected.Listing{Selected: m.Selected, Limit: m.Limit, JSON: m.JSON}, t.out)
	return errors.Join(err, end())
}

// rejectedRetryMode publishes rejected records again.
type rejectedRetryMode struct {
	rejected.Selected
	DryRun bool `help:"Only say what would be published."`
	where
}

func (rejectedRetryMode) Help() string {
	return `Publishes the records as they were, with the time at which the gateway took them in,
to the topics they came from. Then it notes on tipoff-rejected that it has done so: a
second retry leaves them alone. Should it be killed between the two it publishes them
again the next time, which does no harm: ids make every fact count once. What is
refused again is a new rejection.

Examples:

  tipoff rejected retry --dry-run
  tipoff rejected retry --reason "panic" --since 24h
  tipoff rejected retry --id tipoff-bettors/coupon_topic/3/1027`
}

func (m *rejectedRetryMode) Run(ctx context.Context, t *terminal) error {
	cluster, end, err := m.reach(ctx, t)
	if err != nil {
		return err
	}
	return errors.Join(rejected.Retry(ctx, cluster, m.Selected, m.DryRun, t.out, t.errors), end())
}
