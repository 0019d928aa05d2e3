package doctor

import (
	"fmt"

	"tipoff/broker"
)

const areaPositions = "positions"

// checkPositions sees whether something is past the end of a log: the log has lost
// records that groups or the database had.
func (e *examination) checkPositions() {
	if e.survey == nil {
		e.unread(areaPositions, "groups", theBroker)
		return
	}
	e.checkLost()
	e.checkPassed()
	e.checkReached()
}

// checkLost says which logs have lost their ends.
func (e *examination) checkLost() {
	lost := e.survey.Lost
	if len(lost) == 0 {
		e.report.ok(areaPositions, "log ends", "no group is past the end of a log")
		return
	}
	said := make([]string, len(lost))
	for i, l := range lost {
		said[i] = fmt.Sprintf("%s/%d lost %s from offset %d on", l.Topic, l.Partition, counted(l.Records(), "record"), l.From)
	}
	e.report.add(Check{Area: areaPositions, Name: "log ends", State: Wrong, Detail: some(said) + ": they were there, and are gone",
		Advice: []Advice{{Do: "what comes from now on counts; this brings back what the database holds of them:", Command: e.rebuildCommand()}}})
}

// checkPassed sees whether records were let go by retention before a group had read them.
func (e *examination) checkPassed() {
	var passed []string
	records := int64(0)
	for _, g := range e.groupsToBe() {
		for topic, partitions := range e.survey.Groups[g.name].Committed {
			for p, at := range partitions {
				all := e.survey.Topics[topic].Partitions
				if int(p) < len(all) && at < all[p].Begin && e.survey.Topics[topic].Settings["cleanup.policy"] == "delete" {
					records += all[p].Begin - at
					passed = append(passed, fmt.Sprintf("%s on %s/%d", g.name, topic, p))
				}
			}
		}
	}
	if len(passed) == 0 {
		e.report.ok(areaPositions, "retention", "no record was let go before it was read")
		return
	}
	e.report.add(Check{Area: areaPositions, Name: "retention", State: Wrong,
		Detail: fmt.Sprintf("%s were let go before they were read: %s", counted(records, "record"), some(passed)),
		Advice: []Advice{{Do: "raise TIPOFF_RETENTION and start what reads them; the database may have them, from which this fills the tables:", Command: e.rebuildCommand()}}})
}

// checkReached sees whether the database has rows of records that their log has no more.
func (e *examination) checkReached() {
	if e.database == nil || e.database.Stored == 0 {
		e.unread(areaPositions, "database", theDatabase)
		return
	}
	var places []broker.Place
	for _, r := range e.reached {
		if r.TopicID == e.survey.Topics[r.Topic].ID {
			places = append(places, broker.Place{Topic: r.Topic, Partition: r.Partition, Sequence: r.Sequence})
		}
	}
	gone := e.survey.Gone(places)
	logs := make([]string, len(gone))
	for i, p := range gone {
		logs[i] = fmt.Sprintf("%s/%d", p.Topic, p.Partition)
	}
	switch {
	case len(gone) == 0 && len(places) < len(e.reached):
		e.report.ok(areaPositions, "database", "its rows are of records that the logs have, or of topics that were there before")
	case len(gone) == 0:
		e.report.ok(areaPositions, "database", "its rows are of records that the logs have")
	case e.survey.Sets.Serving.Copied && len(e.survey.Lost) == 0:
		e.report.ok(areaPositions, "database", "it has rows of records that the logs have lost (%s), and so have the tables since the last rebuild from it", some(logs))
	default:
		e.report.add(Check{Area: areaPositions, Name: "database", State: Wrong, Detail: "it has rows of records that their logs have lost: " + some(logs),
			Advice: []Advice{{Do: "this fills the tables from it:", Command: e.rebuildCommand()}}})
	}
}
