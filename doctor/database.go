package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"tipoff/sink"
)

const (
	areaDatabase = "database"
	theDatabase  = "the database"
)

// checkDatabase reads the database, and sees whether the sink can write there.
func (e *examination) checkDatabase(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, databasePatience)
	defer cancel()
	db, err := e.OpenDatabaseToRead()
	switch {
	case errors.Is(err, sink.ErrNoFile):
		e.report.add(Check{Area: areaDatabase, Name: "reachable", State: Skipped, Detail: err.Error() + "; the sink creates it when it starts, and so does:",
			Advice: []Advice{{Command: e.migrateCommand()}}})
		return
	case err != nil:
		e.report.add(Check{Area: areaDatabase, Name: "reachable", State: Unknown, Detail: err.Error(),
			Advice: []Advice{{Do: "set DATABASE_URL as docs/mysql.md says, or let this user read the file"}}})
		return
	}
	defer db.Close()
	survey, err := db.Survey(ctx)
	if err == nil && survey.Stored == survey.Needed {
		e.reached, err = db.Reached(ctx)
	}
	if err != nil {
		what, do := db.Diagnose(err)
		e.report.add(Check{Area: areaDatabase, Name: "reachable", State: Wrong, Detail: fmt.Sprintf("%s: %s (%v)", db.Where(), what, err), Advice: []Advice{{Do: do}}})
		return
	}
	e.database = &survey
	e.report.ok(areaDatabase, "reachable", "%s at %s", survey.Server, db.Where())
	e.report.add(e.judgeSchema())
	e.report.add(e.judgeDurable())
}

// judgeSchema says whether the schema is the one that this program needs.
func (e *examination) judgeSchema() Check {
	d := e.database
	c := Check{Area: areaDatabase, Name: "schema", State: OK, Detail: fmt.Sprintf("version %d, the newest", d.Stored)}
	switch {
	case d.Stored == 0:
		c.State, c.Detail = Warning, "there is none yet; a sink creates it when it starts, and so does:"
		c.Advice = []Advice{{Command: e.migrateCommand()}}
	case d.Stored < d.Needed:
		c.State, c.Detail = Wrong, fmt.Sprintf("version %d, and this program needs %d: facts wait until it is migrated", d.Stored, d.Needed)
		c.Advice = []Advice{{Command: e.migrateCommand()}}
	case d.Stored > d.Needed:
		c.State, c.Detail = Wrong, fmt.Sprintf("version %d, and this program knows %d: a newer one has migrated it", d.Stored, d.Needed)
		c.Advice = []Advice{{Do: "deploy the newer tipoff on every machine, this one too"}}
	}
	return c
}

// durable is what each of the server's settings has to be for a commit to outlast a power
// cut; sync_binlog counts where there is a binary log alone.
var durable = map[string]string{"innodb_flush_log_at_trx_commit": "1", "sync_binlog": "1", "innodb_doublewrite": "1"}

// judgeDurable says whether what was committed outlasts a power cut.
func (e *examination) judgeDurable() Check {
	d := e.database
	c := Check{Area: areaDatabase, Name: "commits", State: OK, Detail: "what was committed outlasts a power cut"}
	if d.ReadOnly {
		c.State, c.Detail = Wrong, "the server takes no writes (read_only)"
		c.Advice = []Advice{{Do: "let DATABASE_URL name the server that writes: a read-only one is a replica as a rule"}}
		return c
	}
	if d.Durable == nil {
		if !e.Sync {
			c.Detail = "what was committed outlasts the process; a power cut only with TIPOFF_SYNC=true"
		}
		return c
	}
	var weak []string
	for _, name := range slices.Sorted(maps.Keys(durable)) {
		is, known := d.Durable[name]
		if !known || is == durable[name] || is == "ON" || name == "sync_binlog" && d.Durable["log_bin"] == "0" {
			continue
		}
		weak = append(weak, fmt.Sprintf("%s is %s", name, is))
		c.Advice = append(c.Advice, Advice{Command: []string{"mysql", "-e", "SET PERSIST " + name + " = " + durable[name]}})
	}
	if len(weak) > 0 {
		c.State, c.Detail = Warning, "a power cut may take rows that were committed, and that Kafka counts as read: "+some(weak)
	}
	return c
}
