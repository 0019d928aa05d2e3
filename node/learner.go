package node

import (
	"context"
	"time"

	"tipoff/broker"
	"tipoff/processors"
	"tipoff/topics"
	"tipoff/views"
)

// startLearner follows the tables, and learns once it knows what they hold. It has a
// reading of its own, so that a step of learning holds up no gateway's view.
func (r *runningSet) startLearner() {
	v := views.NewLearning()
	follows := r.followTables("learner's view", v, func(string, broker.Update) {})
	former := map[string][]byte{}
	learner, rewriter := processors.NewLearner(followedTrainer{v, &r.node.journeys}, former), r.startRewriter(processors.RewriteModel)
	if f := r.node.settings.Fleet; len(f.APINodes) > 0 {
		learner.Holds = f.holds
	}
	p := r.newProcessor(processors.Table{Graph: learner.Graph, Gathers: processors.LearnerGathers}, rewriter)
	r.part(p.Group, p.State)
	r.measure(learnerCollector(p.Group, learner))
	served := r.sets.served
	r.goRun(p.Group, func(ctx context.Context) error {
		if served.Number != r.Number {
			r.readModels(ctx, served, former)
		}
		for _, table := range follows {
			if err := table.CatchUp(ctx); err != nil {
				return err
			}
		}
		return p.Run(ctx)
	})
	r.goRun(p.Group+" saves", func(ctx context.Context) error {
		r.saveLearnt(ctx, learner)
		return nil
	})
}

// saveLearnt asks for what was learnt to be written where no coupon comes any more.
func (r *runningSet) saveLearnt(ctx context.Context, learner *processors.Learner) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			learner.Unsaved(now, func(key string) error {
				err := r.node.publisher.Publish(ctx, []topics.Record{processors.RewriteModel(r.TableSet, key)})
				if err != nil && ctx.Err() == nil {
					r.node.log.Warn("what was learnt last is not saved yet", "key", key, "error", err)
				}
				return err
			})
		}
	}
}

// readModels reads what another table set has learnt. Where that cannot be had,
// learning begins from nothing.
func (r *runningSet) readModels(ctx context.Context, from topics.TableSet, models map[string][]byte) {
	err := r.node.cluster.Read(ctx, from.TableLearner(), func(s broker.Stored) error {
		models[s.Key] = s.Value
		return nil
	})
	if err != nil && ctx.Err() == nil {
		r.node.log.Error("what was learnt cannot be taken over, a rebuilt table begins without", "table_set", r.Number, "error", err)
	}
}
