package node

import (
	"errors"
	"time"

	"tipoff/broker"
	"tipoff/processors"
	"tipoff/state"
	"tipoff/topics"
	"tipoff/views"
)

// Here the tables on the broker and the tables in memory meet: a [broker.View] hands
// each change of a table over, [views.Views] applies it, and one that a former owner
// wrote is asked for again.

// tableValues is what the broker knows of the values of all tables.
var tableValues = broker.TableValues{Epoch: state.Epoch, Check: state.CheckVersion}

// startViews follows the table set's tables for a gateway.
func (r *runningSet) startViews() {
	v := views.New()
	v.RankBy(r.node.settings.Ranker)
	r.views = v
	r.goRun("views", v.Tend)
	fresh := func(first string, u broker.Update) {
		if r.serves() {
			r.node.updated(first)
			r.sets.fresh(first, u.Received)
		}
	}
	r.follows = []*broker.View{
		r.startView("view", r.TableFixtures(), r.startRewriter(processors.RewriteFixture), func(u broker.Update) error {
			defer fresh(topics.TableFixtures, u)
			return v.PutFixture(u.Key, u.Value, time.Now())
		}),
		r.startView("view", r.TableBettors(), r.startRewriter(processors.RewriteBettor), func(u broker.Update) error {
			defer fresh(topics.TableBettors, u)
			err := v.PutBettor(u.Key, u.Value)
			if err == nil && r.serves() {
				r.node.journeys.value(stageView, u.Key, u.Value)
			}
			return err
		}),
		r.startView("view", r.TableLearner(), r.startRewriter(processors.RewriteModel), func(u broker.Update) error {
			if r.serves() {
				r.node.updated(topics.TableLearner)
			}
			return v.PutModel(u.Key, u.Value, time.Now())
		}),
	}
}

func (r *runningSet) startView(kind, table string, rewriter *broker.Rewriter, put func(broker.Update) error) *broker.View {
	v := r.node.cluster.NewView(table, tableValues, func(u broker.Update) {
		switch err := put(u); {
		case errors.Is(err, views.ErrStale):
			rewriter.Add(u.Key)
		case err != nil:
			r.node.log.Error("a table value cannot be used, the older one stays", "table", table, "error", err)
		default:
			rewriter.Drop(u.Key)
		}
	})
	v.Follow(r.shareOf(table))
	state := v.State
	if kind == "view" {
		state = r.withinLag(state)
	}
	r.part(kind+" of "+table, state)
	r.measure(restartsCollector(kind+" of "+table, v.Restarts))
	r.goRun(table, v.Run)
	return v
}
