package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"tipoff"
	"tipoff/broker"
	"tipoff/node"
	"tipoff/processors"
	"tipoff/progress"
	"tipoff/rebuild"
	"tipoff/topics"
)

// home is a folder of a Tipoff with a world in its tables.
type home struct {
	*world
	written
	folder string // TIPOFF_DATA; its broker is not used where Kafka is outside
}

// sizes of worlds.
func (b *bench) large() size {
	if b.Small {
		return size{3000, 300, worldBets}
	}
	return size{100_000, 5000, worldBets}
}

func (b *bench) usual() size {
	if b.Small {
		return size{1000, 200, worldBets}
	}
	return size{20_000, 2000, worldBets}
}

func (b *bench) million() size {
	if b.Small {
		return size{10_000, 300, worldBets}
	}
	return size{1_000_000, 5000, worldBets}
}

// newHome writes a world of a size into a broker of its own under the run's folder.
func (b *bench) newHome(ctx context.Context, s size) (*home, error) {
	folder := filepath.Join(b.folder, fmt.Sprintf("home-%d", time.Now().UnixNano()))
	embedded, err := broker.OpenEmbedded(ctx, filepath.Join(folder, "broker"), false, broker.TableValues{})
	if err != nil {
		return nil, err
	}
	h, err := b.fill(ctx, folder, embedded.Config(), s)
	return h, errors.Join(err, embedded.Close())
}

// home writes a world to Kafka where the settings name one, once a run for each
// size, else into a broker of its own.
func (b *bench) home(ctx context.Context, s size) (*home, error) {
	if h := b.homes[s]; h != nil {
		return h, nil
	}
	if b.settings.Embedded() {
		h, err := b.newHome(ctx, s)
		if err == nil {
			b.homes[s] = h
		}
		return h, err
	}
	for _, h := range b.homes { // one Kafka holds one world
		return h, nil
	}
	cluster, end, err := node.Reach(ctx, b.settings, nil)
	if err != nil {
		return nil, err
	}
	h := &home{world: newWorld(s, time.Now()), folder: filepath.Join(b.folder, "outside")}
	h.written, err = b.put(ctx, h.world, cluster)
	if err = errors.Join(err, end()); err == nil {
		b.homes[s] = h
	}
	return h, err
}

func (b *bench) fill(ctx context.Context, folder string, config broker.Config, s size) (*home, error) {
	cluster, err := broker.Connect(ctx, config, b.settings.Layout(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	h := &home{world: newWorld(s, time.Now()), folder: folder}
	h.written, err = b.put(ctx, h.world, cluster)
	return h, errors.Join(err, cluster.Close())
}

func (b *bench) put(ctx context.Context, w *world, cluster *broker.Cluster) (written, error) {
	bar := progress.New(b.bar, fmt.Sprintf("writing %d bettors and %d events", w.bettors, w.size.events), w.bettors+w.size.events)
	defer bar.End()
	return w.write(ctx, cluster, bar)
}

// start starts roles in this process on a home, and returns when they are ready.
func (b *bench) start(ctx context.Context, h *home, roles ...node.Role) (*node.Node, error) {
	s := *b.settings
	if b.homes[h.size] != h { // made for one row: never on a Kafka outside
		s.Kafka = node.Kafka{}
	}
	s.Addr, s.APIKey, s.Data = "127.0.0.1:0", "", h.folder
	n, err := node.Start(ctx, &s, roles...)
	if err != nil {
		return nil, err
	}
	if err := n.Ready(ctx); err != nil {
		return nil, errors.Join(err, n.Stop(nil))
	}
	return n, nil
}

// shared is a whole Tipoff in this process on a world of a size, which rows share: it is
// started by the first one that needs it, and ended by the first that needs another.
func (b *bench) shared(ctx context.Context, s size) (*node.Node, *home, error) {
	h, err := b.home(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	if b.running == nil || b.runs != h {
		if err := b.stopShared(); err != nil {
			return nil, nil, err
		}
		if b.running, err = b.start(ctx, h, node.AllRoles...); err != nil {
			return nil, nil, err
		}
		b.runs = h
	}
	return b.running, h, settled(ctx, b.running.Cluster())
}

// stopShared ends what [bench.shared] has started.
func (b *bench) stopShared() error {
	if b.running == nil {
		return nil
	}
	n := b.running
	b.running, b.runs = nil, nil
	return n.Stop(nil)
}

// behind is how many records the groups that keep the tables, the sink and, if asked
// for, the learner have still to read.
func behind(ctx context.Context, c *broker.Cluster, learner bool) (int64, error) {
	left, err := rebuild.Left(ctx, c, topics.TableSet{})
	others := map[string][]string{topics.GroupSink: topics.Facts()}
	if learner {
		others[topics.GroupLearner] = []string{topics.Choices}
	}
	for group, names := range others {
		lag, again := c.LagTo(ctx, group, names, c.Ends)
		err = errors.Join(err, again)
		for _, n := range lag {
			left += n
		}
	}
	return left, err
}

// lookEvery is how often the lag is looked at; quietLooks is how often in a row it must
// be 0, as a record may be between two groups while both are asked.
const (
	lookEvery  = 50 * time.Millisecond
	quietLooks = 3
)

// settled waits until nothing is under way between the processors, the learner and the
// sink any more.
func settled(ctx context.Context, c *broker.Cluster) error {
	_, err := drained(ctx, c)
	return err
}

// drained is [settled], and returns since when.
func drained(ctx context.Context, c *broker.Cluster) (since time.Time, err error) {
	if _, err := quiet(ctx, func() (int64, error) { return behind(ctx, c, false) }); err != nil {
		return since, err
	}
	// The learner is done when its model is written, which it else waits with.
	publisher, err := c.NewPublisher(30 * time.Second)
	if err != nil {
		return since, err
	}
	write := processors.RewriteModel(topics.TableSet{}, topics.Key(tipoff.DefaultCompany, topics.ModelID))
	if err := errors.Join(publisher.Publish(ctx, []topics.Record{write}), publisher.Close()); err != nil {
		return since, err
	}
	return quiet(ctx, func() (int64, error) { return behind(ctx, c, true) })
}

// quiet waits until there is nothing to read, and returns since when.
func quiet(ctx context.Context, behind func() (int64, error)) (since time.Time, err error) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for looks := 0; ; looks++ {
		now := time.Now()
		left, err := behind()
		switch {
		case err != nil:
			return since, err
		case left > 0:
			looks = -1
		case looks == 0:
			since = now
		case looks >= quietLooks:
			return since, nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return since, ctx.Err()
		}
	}
}
