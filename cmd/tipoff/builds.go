package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lovoo/goka"
	"github.com/prometheus/client_golang/prometheus"

	"tipoff/broker"
	"tipoff/http"
	"tipoff/processors"
	"tipoff/sink"
	"tipoff/state"
	"tipoff/topics"
	"tipoff/views"
)

// builds is what a process does for each build that the control topic names: its
// processors, its views, or both. When another build shall serve, the gateway
// answers from that one once its views have caught up, and not before.
type builds struct {
	node       *node
	processors bool
	learner    bool
	archive    *sink.Archive // nil: this process is no gateway
	fresh      func(table string, received time.Time)
	news       chan topics.TableSets // the newest that is not acted on yet
	serving    atomic.Int64          // number of the build that this process works for
	served     topics.TableSet       // that one
	running    map[int]*building
}

// startBuilds starts what the control topic says now, and follows it.
func (n *node) startBuilds(has map[role]bool, db *sink.Database) error {
	b := &builds{node: n, processors: has[roleProcessors], learner: has[roleLearner], news: make(chan topics.TableSets, 1), running: map[int]*building{}}
	if has[roleAPI] {
		b.archive, b.fresh = sink.NewArchive(db, archivePatience), n.measureViews()
		n.measureLearning()
	}
	now, err := n.cluster.TableSets()
	if err != nil {
		return err
	}
	n.onEnd("builds", b.end)
	b.served = now.Serving
	b.serving.Store(int64(now.Serving.Number))
	for _, one := range now.Running() {
		b.start(one)
	}
	b.open(now.Serving)
	n.goRun("control", b.follow)
	return nil
}

func (b *builds) follow(ctx context.Context) error {
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() {
		_ = b.node.cluster.FollowTableSets(ctx, func(now topics.TableSets) {
			select {
			case <-b.news: // is no longer the newest
			default:
			}
			b.news <- now
		})
	})
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-b.news:
			b.change(ctx, now)
		}
	}
}

// change starts and ends builds so that those run that shall. It returns early
// when there is newer news.
func (b *builds) change(ctx context.Context, now topics.TableSets) {
	for {
		err := b.node.cluster.EnsureTopics()
		if err == nil {
			break
		}
		b.node.log.Error("the topics of a build cannot be used yet, trying again", "error", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return
		}
	}
	shall := map[int]bool{}
	for _, one := range now.Running() {
		shall[one.Number] = true
		if b.running[one.Number] == nil {
			b.node.log.Info("a build of the tables is being filled", "build", one.Number)
			b.start(one)
		}
	}
	if int(b.serving.Load()) != now.Serving.Number {
		if !b.caughtUp(ctx, b.running[now.Serving.Number]) {
			return
		}
		b.served = now.Serving
		b.serving.Store(int64(now.Serving.Number))
		b.open(now.Serving)
		b.node.log.Info("another build of the tables serves", "build", now.Serving.Number)
	}
	for number, one := range b.running {
		if !shall[number] {
			one.stop()
			delete(b.running, number)
		}
	}
}

// caughtUp waits until the build's views hold all that its tables hold now. It is
// false when there is newer news first.
func (b *builds) caughtUp(ctx context.Context, one *building) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		for _, v := range one.follows {
			if err := v.CatchUp(ctx); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			return err == nil
		case <-ticker.C:
			if len(b.news) > 0 {
				cancel()
			}
		}
	}
}

// open lets the gateway answer from the build.
func (b *builds) open(serving topics.TableSet) {
	if b.archive == nil {
		return
	}
	v := b.running[serving.Number].views
	b.node.views.Store(v)
	b.node.api.Store(&http.API{Publisher: b.node.publisher, Recommender: v, Archive: b.archive})
}

func (b *builds) end() error {
	var ending sync.WaitGroup
	for _, one := range b.running {
		ending.Go(one.stop)
	}
	ending.Wait()
	return nil
}

// building is one build as this process runs it.
type building struct {
	builds  *builds
	build   topics.TableSet
	views   *views.Views
	follows []*broker.View

	ctx    context.Context
	cancel context.CancelFunc
	going  sync.WaitGroup
	undo   []func()
}

func (b *builds) start(one topics.TableSet) {
	g := &building{builds: b, build: one}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	b.running[one.Number] = g
	if b.processors {
		if one.Copied {
			g.startCopier()
		}
		g.startProcessor(processors.Bettors, processors.RewriteBettor)
		g.startProcessor(processors.Fixtures, processors.RewriteFixture)
	}
	if b.archive != nil {
		g.startViews()
	}
	if b.learner {
		g.startLearner()
	}
}

func (g *building) stop() {
	g.cancel()
	g.going.Wait()
	for _, undo := range g.undo {
		undo()
	}
}

// goRun runs something until the build ends; should it fail, the node does.
func (g *building) goRun(name string, run func(context.Context) error) {
	g.going.Go(func() {
		if err := run(g.ctx); err != nil && g.ctx.Err() == nil {
			g.builds.node.fatal <- fmt.Errorf("%s: %w", name, err)
		}
	})
}

// part adds something that must be ready before the process is, if this build is
// the one that serves.
func (g *building) part(name string, state func() broker.State) {
	g.undo = append(g.undo, g.builds.node.part(name, func() broker.State {
		s := state()
		if int(g.builds.serving.Load()) != g.build.Number {
			s.Ready, s.Detail = true, "does not serve: "+s.Detail
		}
		return s
	}))
}

func (g *building) measure(c prometheus.Collector) {
	registry := g.builds.node.registry
	registry.MustRegister(c)
	g.undo = append(g.undo, func() { registry.Unregister(c) })
}

// startCopier copies the facts for the build.
func (g *building) startCopier() {
	cluster := g.builds.node.cluster
	group := cluster.NewGroup(g.build.Copier(), topics.Facts(), cluster.NewCopier(g.build))
	g.part(g.build.Copier(), group.State)
	g.measure(lagCollector(&group.Lag))
	g.measure(restartsCollector(g.build.Copier(), group.Restarts))
	g.goRun(g.build.Copier(), group.Run)
}

// startProcessor runs a processor, and asks for values that a former owner wrote to
// be written again.
func (g *building) startProcessor(graph func(processors.Place, topics.TableSet) *goka.GroupGraph, rewrite func(b topics.TableSet, key string) topics.Record) {
	p := g.newProcessor(graph, g.startRewriter(rewrite))
	g.goRun(p.Group, p.Run)
}

func (g *building) newProcessor(graph func(processors.Place, topics.TableSet) *goka.GroupGraph, rewriter *broker.Rewriter) *broker.Processor {
	cluster := g.builds.node.cluster
	owner := cluster.NewOwner(broker.TableValues{Epoch: state.Epoch, Check: state.CheckVersion}, rewriter.Add)
	p := cluster.NewProcessor(graph(owner, g.build), owner)
	g.part(p.Group, p.State)
	g.measure(lagCollector(&p.Lag))
	g.measure(ownerCollector(p.Group, owner))
	g.measure(restartsCollector(p.Group, p.Restarts))
	return p
}

// startLearner follows the tables, and learns once it knows what they hold.
func (g *building) startLearner() {
	v := views.NewLearning()
	follows := []*broker.View{
		g.startView("learner's view", g.build.TableFixtures(), g.startRewriter(processors.RewriteFixture), func(u broker.Update) error {
			return v.PutFixture(u.Key, u.Value, time.Now())
		}),
		g.startView("learner's view", g.build.TableBettors(), g.startRewriter(processors.RewriteBettor), func(u broker.Update) error {
			return v.PutBettor(u.Key, u.Value)
		}),
	}
	former := map[string][]byte{}
	learner, rewriter := processors.NewLearner(v, former), g.startRewriter(processors.RewriteModel)
	p := g.newProcessor(learner.Graph, rewriter)
	g.measure(learnerCollector(p.Group, learner))
	served := g.builds.served
	g.goRun(p.Group, func(ctx context.Context) error {
		if served.Number != g.build.Number {
			g.readModels(ctx, served, former)
		}
		for _, table := range follows {
			if err := table.CatchUp(ctx); err != nil {
				return err
			}
		}
		return p.Run(ctx)
	})
	g.goRun(p.Group+" saves", func(ctx context.Context) error {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case now := <-ticker.C:
				learner.Unsaved(now, func(key string) error {
					err := g.builds.node.publisher.Publish(ctx, []topics.Record{processors.RewriteModel(g.build, key)})
					if err != nil && ctx.Err() == nil {
						g.builds.node.log.Warn("what was learnt last is not saved yet", "key", key, "error", err)
					}
					return err
				})
			}
		}
	})
}

func (g *building) startRewriter(request func(b topics.TableSet, key string) topics.Record) *broker.Rewriter {
	n := g.builds.node
	rewriter := n.cluster.NewRewriter(n.publisher, func(key string) topics.Record { return request(g.build, key) })
	g.goRun("rewriter", rewriter.Run)
	return rewriter
}

// readModels reads what another build has learnt. Where that cannot be had, learning
// begins anew.
func (g *building) readModels(ctx context.Context, from topics.TableSet, models map[string][]byte) {
	cluster, log := g.builds.node.cluster, g.builds.node.log
	err := cluster.Read(ctx, from.TableLearner(), func(r broker.Stored) error {
		models[r.Key] = r.Value
		return nil
	})
	if err != nil && ctx.Err() == nil {
		log.Error("what was learnt cannot be taken over, a rebuilt table begins without", "build", g.build.Number, "error", err)
	}
}

// startViews follows the build's tables.
func (g *building) startViews() {
	v := views.New()
	v.RankBy(g.builds.node.settings.Ranker)
	g.views = v
	g.goRun("views", v.Tend)
	fresh := func(first string, u broker.Update) {
		if int(g.builds.serving.Load()) == g.build.Number {
			g.builds.fresh(first, u.Received)
		}
	}
	g.follows = []*broker.View{
		g.startView("view", g.build.TableFixtures(), g.startRewriter(processors.RewriteFixture), func(u broker.Update) error {
			defer fresh(topics.TableFixtures, u)
			return v.PutFixture(u.Key, u.Value, time.Now())
		}),
		g.startView("view", g.build.TableBettors(), g.startRewriter(processors.RewriteBettor), func(u broker.Update) error {
			defer fresh(topics.TableBettors, u)
			return v.PutBettor(u.Key, u.Value)
		}),
		g.startView("view", g.build.TableLearner(), g.startRewriter(processors.RewriteModel), func(u broker.Update) error {
			return v.PutModel(u.Key, u.Value)
		}),
	}
}

func (g *building) startView(kind, table string, rewriter *broker.Rewriter, put func(broker.Update) error) *broker.View {
	n := g.builds.node
	v := n.cluster.NewView(table, func(u broker.Update) {
		switch err := put(u); {
		case errors.Is(err, views.ErrStale):
			rewriter.Add(u.Key)
		case err != nil:
			n.log.Error("a table value cannot be used, the older one stays", "table", table, "error", err)
		default:
			rewriter.Drop(u.Key)
		}
	})
	g.part(kind+" of "+table, v.State)
	g.measure(restartsCollector(kind+" of "+table, v.Restarts))
	g.goRun(table, v.Run)
	return v
}
