package node

import (
	"bytes"
	"errors"
	"time"

	"tipoff/broker"
	"tipoff/processors"
	"tipoff/state"
	"tipoff/topics"
	"tipoff/trace"
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
	tables := r.followTables(gatewaysView, v, func(first string, u broker.Update) {
		if r.serves() {
			r.node.updated(first)
			r.sets.fresh(first, u.Received)
		}
	})
	models := r.startView(gatewaysView, r.TableLearner(), r.startRewriter(processors.RewriteModel), func(u broker.Update) error {
		if r.serves() {
			r.node.updated(topics.TableLearner)
		}
		return v.PutModel(u.Key, u.Value, time.Now())
	})
	r.follows = append(tables, models)
}

// followTables gives views what the tables of fixtures and bettors hold, and calls fresh
// after each change with the name of the first table set's table.
func (r *runningSet) followTables(kind string, v *views.Views, fresh func(first string, u broker.Update)) []*broker.View {
	return []*broker.View{
		r.startView(kind, r.TableFixtures(), r.startRewriter(processors.RewriteFixture), func(u broker.Update) error {
			defer fresh(topics.TableFixtures, u)
			return v.PutFixture(u.Key, u.Value, time.Now())
		}),
		r.startView(kind, r.TableBettors(), r.startRewriter(processors.RewriteBettor), func(u broker.Update) error {
			defer fresh(topics.TableBettors, u)
			if kind != gatewaysView {
				u.Value = r.keep(u)
			}
			err := v.PutBettor(u.Key, u.Value)
			if err == nil && r.serves() {
				r.node.journeys.value(stageView, u.Key, u.Value)
			}
			return err
		}),
	}
}

// keep returns a bettor's value that stays: the very one of the table that this process works
// on, where that is the same, as most are; else a copy.
func (r *runningSet) keep(u broker.Update) []byte {
	if r.bettors != nil {
		if stored := r.bettors.Stored(u.Partition, u.Key); stored != nil && bytes.Equal(stored, u.Value) {
			return stored
		}
	}
	return bytes.Clone(u.Value)
}

// gatewaysView is the kind of the views that a gateway answers from: what they apply can be
// seen by its clients.
const gatewaysView = "view"

func (r *runningSet) startView(kind, table string, rewriter *broker.Rewriter, put func(broker.Update) error) *broker.View {
	v := r.node.cluster.NewView(table, tableValues, func(u broker.Update) {
		if kind == gatewaysView {
			defer r.node.tracer.Process(u.Trace, trace.Read{Topic: table, Partition: u.Partition, Offset: u.Offset, Received: u.Received}).End()
		}
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
	if kind != gatewaysView {
		v.Gather(processors.LearnerTables)
	}
	state := v.State
	if kind == gatewaysView {
		state = r.withinLag(state)
	}
	r.part(kind+" of "+table, state)
	r.measure(restartsCollector(kind+" of "+table, v.Restarts))
	r.goRun(table, v.Run)
	return v
}
