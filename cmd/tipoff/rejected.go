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

// on works on the broker, which may be that of a Tipoff that runs.
func (w *where) on(ctx context.Context, t *terminal, work func(*broker.Cluster) error) error {
	s := &node.Settings{Folder: w.Folder, Kafka: w.Kafka, Topics: w.Topics, Log: w.Logger(t.errors)}
	cluster, end, err := node.Reach(ctx, s, node.OpenFolder)
	if err != nil {
		return err
	}
	return errors.Join(work(cluster), end())
}

// rejectedListMode lists rejections.
type rejectedListMode struct {
	rejected.Listing
	where
}

func (rejectedListMode) Help() string {
	return `The newest come last. Where there are more than --limit, the list says how to see the
page before it:

  tipoff rejected list --limit 100
  tipoff rejected list --limit 100 --before tipoff-bettors/coupon_topic/3/1027

The metric tipoff_rejected_total counts them by topic and kind of reason.`
}

func (m *rejectedListMode) Run(ctx context.Context, t *terminal) error {
	if m.Limit < 1 {
		return fmt.Errorf("--limit: must be 1 or more, is %d", m.Limit)
	}
	return m.on(ctx, t, func(c *broker.Cluster) error { return rejected.List(ctx, c, m.Listing, t.out) })
}

// rejectedRetryMode publishes rejected records again.
type rejectedRetryMode struct {
	rejected.Selected
	DryRun bool `help:"Only say what would be published."`
	where
}

func (rejectedRetryMode) Help() string {
	return `Publishes the records as they were, with the time at which the gateway received
them, to the topics they came from. Then it notes on tipoff-rejected that it has done so: a
second retry leaves them alone. Should it be killed between the two it publishes them
again the next time, which does no harm: ids make every fact count once. What is
refused again is a new rejection.

Examples:

  tipoff rejected retry --dry-run
  tipoff rejected retry --reason "panic" --since 24h
  tipoff rejected retry --id tipoff-bettors/coupon_topic/3/1027`
}

func (m *rejectedRetryMode) Run(ctx context.Context, t *terminal) error {
	return m.on(ctx, t, func(c *broker.Cluster) error {
		return rejected.Retry(ctx, c, m.Selected, m.DryRun, t.out, t.errors)
	})
}
