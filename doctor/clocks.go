package doctor

import (
	"fmt"
	"time"

	"tipoff/topics"
)

const areaClocks = "clocks"

// How far a clock may be off. Kafka dates every record, and what is dated wrongly counts
// as bet on earlier or later than it was.
const (
	clockWarns = 2 * time.Second
	clockWrong = time.Minute
)

// checkClocks compares the clocks of the broker and the database with this machine's.
func (e *examination) checkClocks() {
	e.checkBrokerClock()
	switch {
	case e.database == nil:
		e.unread(areaClocks, "database", theDatabase)
	case e.database.Durable == nil:
		e.report.ok(areaClocks, "database", "SQLite has this machine's")
	default:
		e.report.add(judgeClock("database", "this machine's", e.database.Ahead, e.database.Within))
	}
}

// checkBrokerClock finds out what can be known of the broker's clock without writing: no
// record was dated later than now, and none before its gateway had received it.
func (e *examination) checkBrokerClock() {
	switch {
	case e.survey == nil:
		e.unread(areaClocks, "broker", theBroker)
		return
	case e.found.Folder != "":
		e.report.ok(areaClocks, "broker", "the broker inside the process has this machine's")
		return
	}
	var ahead, behind time.Duration
	dated := false
	for _, name := range topics.Facts() {
		for _, p := range e.survey.Topics[name].Partitions {
			if p.Newest == nil || p.Newest.Appended.IsZero() {
				continue
			}
			dated = true
			ahead = max(ahead, p.Newest.Appended.Sub(e.survey.At))
			if !p.Newest.Received.IsZero() {
				behind = max(behind, p.Newest.Received.Sub(p.Newest.Appended))
			}
		}
	}
	switch {
	case !dated:
		e.report.add(Check{Area: areaClocks, Name: "broker", State: Skipped, Detail: "nothing was posted yet by which its clock could be told"})
	case ahead >= behind:
		e.report.add(judgeClock("broker", "this machine's", ahead, 0))
	default:
		e.report.add(judgeClock("broker", "a gateway's, when it dated the newest facts", -behind, 0))
	}
}

// judgeClock says how a clock is that is so far ahead of another one, give or take within.
func judgeClock(of, other string, ahead, within time.Duration) Check {
	c := Check{Area: areaClocks, Name: of, State: OK, Detail: "as this machine's, as far as can be seen"}
	off, where := ahead, "ahead of"
	if ahead < 0 {
		off, where = -ahead, "behind"
	}
	if off = max(0, off-within); off < clockWarns {
		return c
	}
	c.State, c.Detail = Warning, fmt.Sprintf("%s %s %s", off.Round(100*time.Millisecond), where, other)
	if off >= clockWrong {
		c.State = Wrong
	}
	c.Advice = []Advice{{Do: "let all machines follow the same time servers; this says what one follows:", Command: []string{"timedatectl", "status"}}}
	return c
}
