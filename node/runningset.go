package node

import (
	"context"
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"tipoff/broker"
	"tipoff/processors"
	"tipoff/rebuild"
	"tipoff/topics"
	"tipoff/views"
)

// runningSet is one table set as this process runs it.
type runningSet struct {
	topics.TableSet
	sets    *tableSets
	node    *Node
	views   *views.Views
	follows []*broker.View
	bettors *broker.Owner // of the table of bettors; nil: this process has no processor of it

	ctx    context.Context
	cancel context.CancelFunc
	going  sync.WaitGroup
	undo   []func()
}

func (s *tableSets) start(one topics.TableSet) {
	r := &runningSet{TableSet: one, sets: s, node: s.node}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	s.running[one.Number] = r
	if s.processors {
		if one.Copied {
			r.startCopier()
		}
		for _, table := range processors.Tables() {
			r.startProcessor(table)
		}
	}
	if s.archive != nil {
		r.startViews()
	}
	if s.learner {
		r.startLearner()
	}
}

func (r *runningSet) stop() {
	r.cancel()
	r.going.Wait()
	for _, undo := range r.undo {
		undo()
	}
}

// serves says whether this process works for the table set.
func (r *runningSet) serves() bool { return int(r.sets.serving.Load()) == r.Number }

// goRun runs something until the table set ends; should it fail, the node does.
func (r *runningSet) goRun(name string, run func(context.Context) error) {
	r.going.Go(func() {
		if err := run(r.ctx); err != nil && r.ctx.Err() == nil {
			r.node.fatal <- fmt.Errorf("%s: %w", name, err)
		}
	})
}

// part adds something that must be ready before the process is, if this table set is
// the one that serves.
func (r *runningSet) part(name string, state func() broker.State) {
	r.undo = append(r.undo, r.node.part(name, func() broker.State {
		s := state()
		if !r.serves() {
			s = broker.State{Ready: true, Detail: "does not serve: " + s.Detail, Lag: s.Lag, Looked: s.Looked}
		}
		return s
	}))
}

func (r *runningSet) measure(c prometheus.Collector) {
	r.node.registry.MustRegister(c)
	r.undo = append(r.undo, func() { r.node.registry.Unregister(c) })
}

// startCopier copies the facts for the table set.
func (r *runningSet) startCopier() {
	cluster := r.node.cluster
	group := cluster.NewGroup(r.Copier(), topics.Facts(), rebuild.NewCopier(cluster, r.TableSet, r.node.log))
	r.part(r.Copier(), group.State)
	r.measure(lagCollector(&group.Lag))
	r.undo = append(r.undo, r.node.flows(&group.Lag))
	r.measure(restartsCollector(r.Copier(), group.Restarts))
	r.goRun(r.Copier(), group.Run)
}

// startProcessor runs a processor, and asks for values that a former owner wrote to
// be written again.
func (r *runningSet) startProcessor(table processors.Table) {
	p := r.newProcessor(table, r.startRewriter(table.Rewrite))
	r.part(p.Group, r.withinLag(p.State))
	r.goRun(p.Group, p.Run)
	if expiry := table.Expiry; expiry != nil {
		r.goRun(p.Group+" expiry", func(ctx context.Context) error { return r.sweep(ctx, p, expiry) })
	}
}

// newProcessor prepares a processor; whether it must be ready is for the caller to say.
func (r *runningSet) newProcessor(table processors.Table, rewriter *broker.Rewriter) *broker.Processor {
	values := tableValues
	values.Group = table.Group
	if table.OfBettors {
		values.Put = func(key string, value []byte) {
			if r.serves() {
				r.node.journeys.value(stageTable, key, value)
			}
		}
	}
	owner := r.node.cluster.NewOwner(values, rewriter.Add)
	if table.OfBettors {
		r.bettors = owner
	}
	p := r.node.cluster.NewProcessor(table.Graph(owner, r.TableSet), owner)
	p.Gather(table.Gathers)
	r.measure(lagCollector(&p.Lag))
	r.undo = append(r.undo, r.node.flows(&p.Lag), r.node.rejects(func() (all int64) {
		for _, rejected := range owner.Rejections() {
			all += rejected
		}
		return all
	}))
	r.measure(ownerCollector(p.Group, owner))
	var from []string
	for _, topic := range p.Inputs() {
		from = append(from, r.Public(topic))
	}
	r.measure(rejectedCollector(p.Group, from, owner))
	r.measure(restartsCollector(p.Group, p.Restarts))
	return p
}

func (r *runningSet) startRewriter(request processors.Rewrite) *broker.Rewriter {
	rewriter := r.node.cluster.NewRewriter(r.node.publisher, func(key string) topics.Record { return request(r.TableSet, key) })
	r.goRun("rewriter", rewriter.Run)
	return rewriter
}
