package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tipoff/broker"
	"tipoff/topics"
)

const areaGroups = "groups"

// learnerSaves is how long a learner may learn before it commits what it has learnt from,
// so that one that is watched for less seems to stand still; see decision 12.
const learnerSaves = 15 * time.Second

// group is a consumer group as it is to be.
type group struct {
	name, role string
	inputs     []string
	needed     bool // facts wait while nobody is in it
}

// groupsToBe are the groups of the table sets that processes work on.
func (e *examination) groupsToBe() []group {
	all := []group{{topics.GroupSink, "sink", topics.Facts(), true}}
	for _, set := range e.survey.Sets.Running() {
		for _, name := range set.Groups() {
			g := group{name, "processors", set.Inputs(name), true}
			if name == set.Learner() {
				g.role, g.needed = "learner", false
			}
			all = append(all, g)
		}
	}
	return all
}

// checkGroups sees whether somebody reads what comes in, and whether it gets on.
func (e *examination) checkGroups(ctx context.Context) {
	if e.survey == nil {
		e.unread(areaGroups, "members", theBroker)
		return
	}
	after := e.watch(ctx)
	for _, g := range e.groupsToBe() {
		lag := int64(0)
		for _, records := range e.survey.Lag(g.name, g.inputs) {
			lag += records
		}
		e.report.add(e.judgeGroup(g, lag, after))
	}
}

// watch reads the broker again after a while, if a group that has members has records
// to read; nil: it was not needed, or not asked for.
func (e *examination) watch(ctx context.Context) *broker.Survey {
	waits := slices.ContainsFunc(e.groupsToBe(), func(g group) bool {
		for _, records := range e.survey.Lag(g.name, g.inputs) {
			if records > 0 && len(e.survey.Groups[g.name].Members) > 0 {
				return true
			}
		}
		return false
	})
	if !waits || e.Watch <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(e.Watch):
	}
	after, err := e.readBroker(ctx)
	if err != nil {
		return nil
	}
	return after
}

// judgeGroup says how a group is that has so many records to read.
func (e *examination) judgeGroup(g group, lag int64, after *broker.Survey) Check {
	is := e.survey.Groups[g.name]
	c := Check{Area: areaGroups, Name: g.name, State: OK}
	toRead := counted(lag, "record") + " to read"
	role := g.role
	if e.found.Folder != "" {
		role = "run"
	}
	switch {
	case e.stopped():
		c.Detail = "no process runs; " + toRead + " at the next start"
	case len(is.Members) == 0 && lag > 0 && g.needed:
		c.State, c.Detail = Wrong, "nobody is in it, and "+counted(lag, "record")+" wait"
		c.Advice = []Advice{{Command: e.roleCommand(role)}}
	case len(is.Members) == 0:
		c.State, c.Detail = Warning, "nobody is in it; "+toRead
		c.Advice = []Advice{{Command: e.roleCommand(role)}}
	case is.State != "Stable":
		c.State, c.Detail = Warning, fmt.Sprintf("its members join it at this moment (%s); %s", is.State, toRead)
		c.Advice = []Advice{{Do: "look again; should it stay so, members come and go: see their logs for why they end"}}
	default:
		c.Detail = fmt.Sprintf("%s, %s", counted(int64(len(is.Members)), "member"), toRead)
		if stuck := e.stuck(g, after); len(stuck) > 0 {
			c.State, c.Detail = Wrong, fmt.Sprintf("%s; it has not moved for %s on %s", c.Detail, e.Watch, some(stuck))
			c.Advice = []Advice{{Do: "see what /readyz of the members says (" + some(is.Members) + "):"}, {Command: []string{"tipoff", "health", "--url=http://HOST:PORT"}}}
		}
	}
	return c
}

// stuck lists the partitions on which a group had records to read and has finished none.
func (e *examination) stuck(g group, after *broker.Survey) (partitions []string) {
	if after == nil || e.Watch < learnerSaves && g.role == "learner" {
		return nil
	}
	before := e.survey.Groups[g.name].Committed
	for _, topic := range slices.Sorted(slices.Values(g.inputs)) {
		for number, p := range e.survey.Topics[topic].Partitions {
			was, began := before[topic][int32(number)]
			is, goes := after.Groups[g.name].Committed[topic][int32(number)]
			if max(was, p.Begin) < p.End && (!goes || began && is <= was) {
				partitions = append(partitions, fmt.Sprintf("%s/%d", topic, number))
			}
		}
	}
	return partitions
}

// tables are the topics of the tables of all table sets, with the set of each.
func (e *examination) tables() map[string]topics.TableSet {
	all := map[string]topics.TableSet{}
	for _, set := range e.survey.Sets.All() {
		for _, table := range []string{set.TableBettors(), set.TableFixtures(), set.TableLearner()} {
			all[table] = set
		}
	}
	return all
}

// tableNames are those topics in order.
func (e *examination) tableNames() []string { return slices.Sorted(maps.Keys(e.tables())) }
