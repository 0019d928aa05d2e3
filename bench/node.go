package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"tipoff"
	"tipoff/broker"
	"tipoff/generator"
	"tipoff/node"
	"tipoff/processors"
	"tipoff/rebuild"
	"tipoff/topics"
)

// startNode starts a whole Tipoff for measuring, and fills it.
func (b *bench) startNode(ctx context.Context, bettors, fixtures, coupons int) (*node.Node, *generator.Sportsbook, error) {
	s := *b.settings
	s.Addr, s.APIKey, s.Data = "127.0.0.1:0", "", filepath.Join(b.folder, fmt.Sprint("node", time.Now().UnixNano()))
	n, err := node.Start(ctx, &s, node.AllRoles...)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	book := generator.NewSportsbook(uint64(now.UnixNano()), bettors, fixtures, 7, now)
	err = n.Ready(ctx)
	if err == nil {
		err = book.Seed(ctx, &generator.Client{URL: n.URL()}, coupons, now, func(int) {})
	}
	if err == nil {
		err = settled(ctx, n.Cluster())
	}
	if err != nil {
		_ = n.Stop(nil)
		return nil, nil, err
	}
	return n, book, nil
}

// settled waits until nothing is under way between the processors any more.
func settled(ctx context.Context, c *broker.Cluster) error {
	reads := map[string][]string{topics.GroupSink: topics.Facts()}
	if err := quiet(ctx, c, reads); err != nil {
		return err
	}
	// The learner is done when its model is written, which it else waits with.
	publisher, err := c.NewPublisher(30 * time.Second)
	if err != nil {
		return err
	}
	write := processors.RewriteModel(topics.TableSet{}, topics.Key(tipoff.DefaultCompany, topics.ModelID))
	if err := errors.Join(publisher.Publish(ctx, []topics.Record{write}), publisher.Close()); err != nil {
		return err
	}
	reads[topics.GroupLearner] = []string{topics.Choices}
	return quiet(ctx, c, reads)
}

// quiet waits until the groups that keep the tables, and some others, have had nothing
// to read for a while.
func quiet(ctx context.Context, c *broker.Cluster, others map[string][]string) error {
	ticker := time.NewTicker(500 * time.Millisecond) // twice the time until a group says how far it has come
	defer ticker.Stop()
	for times := 0; times < 3; times++ {
		left, err := rebuild.Left(ctx, c, topics.TableSet{})
		for group, names := range others {
			lag, again := c.LagTo(group, names, c.Ends)
			err = errors.Join(err, again)
			for _, n := range lag {
				left += n
			}
		}
		if err != nil {
			return err
		}
		if left > 0 {
			times = -1
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
