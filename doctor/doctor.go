// Package doctor finds out what is wrong with a Tipoff, and what mends it.
//
// What arrives is the settings of a process, and what Kafka, the database and this machine
// say; what leaves is a report: a line a check, with the command that mends what it found.
// It reads alone: nothing is created, altered or written, so that it may be run at any
// time, beside processes that run and on the folder of one that is stopped. Each area has a
// file of its own, whose checks judge what was read.
package doctor

import (
	"context"
	"errors"
	"time"

	"tipoff/broker"
	"tipoff/node"
	"tipoff/sink"
)

// Options are what to look at.
type Options struct {
	node.Settings
	// Watch is how long groups that have records to read are watched, to see whether they
	// move; 0: they are not.
	Watch time.Duration
}

// Time limits of what is asked.
const (
	brokerPatience   = 20 * time.Second
	databasePatience = 15 * time.Second
)

// examination is one look at everything, and what it finds.
type examination struct {
	*Options
	found    node.Found
	survey   *broker.Survey // nil: the broker could not be read
	database *sink.Survey   // nil: the database could not be read
	reached  []sink.Reached
	report   *Report
}

// Examine looks at everything that the options name, and returns what it has found. It
// takes some 45 seconds and Watch at the most, and ends early with ctx.
func Examine(ctx context.Context, o *Options) *Report {
	e := &examination{Options: o, found: o.Find(), report: newReport()}
	e.checkSettings()
	e.checkDatabase(ctx) // before the logs: what it has of them must have been there
	e.checkBroker(ctx)
	e.checkTopics()
	e.checkPositions()
	e.checkVersions()
	e.checkGroups(ctx)
	e.checkClocks()
	e.checkDisk()
	e.checkLimits()
	e.checkProcess()
	e.report.order()
	return e.report
}

// readBroker reads the broker that the settings lead to.
func (e *examination) readBroker(ctx context.Context) (*broker.Survey, error) {
	ctx, cancel := context.WithTimeout(ctx, brokerPatience)
	defer cancel()
	if e.stopped() {
		found, err := broker.InspectFolder(e.found.Folder)
		if broker.InUse(e.found.Folder) { // what was read may be half of what is being written
			err = errors.New("a process is starting or ending on the folder: look again in a moment")
		}
		return found, err
	}
	return broker.Inspect(ctx, e.found.Config)
}

// stopped says whether the broker is a folder on which no process runs.
func (e *examination) stopped() bool { return e.found.Folder != "" && !e.found.Held }

// unread notes a check for which something else had to be read first.
func (e *examination) unread(area, name, what string) {
	e.report.add(Check{Area: area, Name: name, State: Skipped, Detail: what + " could not be read"})
}
