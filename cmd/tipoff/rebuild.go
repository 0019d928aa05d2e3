package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tipoff"
	"tipoff/broker"
	"tipoff/node"
	"tipoff/progress"
	"tipoff/topics"
)

// rebuildMode fills the tables again.
type rebuildMode struct {
	From            string        `enum:"auto,topics,database" default:"auto" placeholder:"WHERE" help:"topics, database, or auto: topics where they still hold everything, else the database (default ${default})."`
	TablePartitions int           `placeholder:"N" help:"Partitions of the new tables, a power of two (default: as the facts' topics)."`
	Grace           time.Duration `default:"1m" help:"How long the former tables are kept up for gateways that are slow to change over (default ${default})."`
	Status          bool          `help:"Only say which tables there are, and how far a rebuild has come."`
	Cancel          bool          `help:"Give up a rebuild that is under way."`
}

func (rebuildMode) Help() string {
	return `Fills new tables beside those that serve, lets every gateway change over to them
once they hold everything, and removes the former ones: after a lost table, a change
of what tables hold, or to spread them over more partitions. Posts and answers go on
all along. The processors and gateways that run do the work; with the broker inside
the process, it is the Tipoff that runs on TIPOFF_DATA, or else this command itself.
Interrupted, the same command goes on.`
}

// hops is how many groups a fact passes on its longest way: the copier, bettors,
// fixtures, three times the fixtures' loop, bettors, and one to be safe.
const hops = 8

func (m *rebuildMode) Run(ctx context.Context, s *node.Settings, t *terminal) error {
	if m.TablePartitions != 0 {
		if err := (broker.Layout{Partitions: m.TablePartitions, Retention: s.Retention}).Validate(); err != nil {
			return fmt.Errorf("--table-partitions: must be a power of two from 1 to 1024, is %d", m.TablePartitions)
		}
	}
	cluster, end, err := node.Reach(ctx, s, node.RunAlone)
	if err != nil {
		return err
	}
	r := &rebuild{rebuildMode: m, Settings: s, terminal: t, cluster: cluster}
	switch {
	case m.Status:
		err = r.status()
	case m.Cancel:
		err = r.giveUp(ctx)
	default:
		err = r.run(ctx)
	}
	return errors.Join(err, end())
}

// rebuild is one run of the command.
type rebuild struct {
	*rebuildMode
	*node.Settings
	*terminal
	cluster *broker.Cluster
}

func (r *rebuild) say(form string, args ...any) { fmt.Fprintf(r.out, form+"\n", args...) }

func (r *rebuild) status() error {
	builds, err := r.cluster.TableSets()
	if err != nil {
		return err
	}
	r.say("%v serves", builds.Serving)
	if builds.Retiring != nil {
		r.say("%v served before and is kept up for a while", *builds.Retiring)
	}
	switch {
	case builds.Filling == nil:
		r.say("no rebuild is under way")
	case builds.Seeding:
		r.say("%v: its facts are being published from the database", *builds.Filling)
	default:
		left, err := r.cluster.Left(builds.Filling.Reads())
		if err != nil {
			return err
		}
		r.say("%v is being filled, %d records are left", *builds.Filling, left)
	}
	return nil
}

// giveUp drops a build that is being filled.
func (r *rebuild) giveUp(ctx context.Context) error {
	builds, err := r.cluster.TableSets()
	if err != nil {
		return err
	}
	if builds.Filling == nil {
		return errors.New("no rebuild is under way")
	}
	given := *builds.Filling
	builds.Filling, builds.Seeding = nil, false
	if err := r.set(ctx, builds); err != nil {
		return err
	}
	r.say("%v is given up", given)
	return nil
}

// run takes the rebuild from where it stands to its end.
func (r *rebuild) run(ctx context.Context) error {
	builds, err := r.cluster.TableSets()
	if err != nil {
		return err
	}
	if builds.Retiring == nil { // else an earlier run was interrupted after the change
		if builds, err = r.begin(ctx, builds); err != nil {
			return err
		}
		if err := r.fill(ctx, *builds.Filling); err != nil {
			return err
		}
		if builds, err = r.change(ctx, builds.Filling.Number); err != nil {
			return err
		}
	}
	r.say("%v serves; %v is kept up for %s", builds.Serving, *builds.Retiring, r.Grace)
	select {
	case <-time.After(r.Grace):
	case <-ctx.Done():
		return ctx.Err()
	}
	builds.Retiring = nil
	if err := r.set(ctx, builds); err != nil {
		return err
	}
	r.say("%v serves alone, the tables are built", builds.Serving)
	return nil
}

// begin makes a new build, or finds the one that an earlier run has begun.
func (r *rebuild) begin(ctx context.Context, builds topics.TableSets) (topics.TableSets, error) {
	if f := builds.Filling; f != nil && !builds.Seeding {
		if r.From == "topics" && f.Copied && f.Partitions == 0 || r.From == "database" && !f.Copied || r.TablePartitions != 0 && r.TablePartitions != f.Partitions {
			return builds, fmt.Errorf("%v is under way with other settings: run tipoff rebuild without settings to go on with it, or with --cancel to give it up", *f)
		}
		r.say("goes on with %v", *f)
		return builds, nil
	}
	from, err := r.whence(ctx)
	if err != nil {
		return builds, err
	}
	// A seeding that was interrupted begins anew, on topics of another number.
	builds.Last++
	next := topics.TableSet{Number: builds.Last, Partitions: r.TablePartitions, Copied: r.TablePartitions != 0 || from == "database"}
	builds.Filling, builds.Seeding = &next, from == "database"
	if err := r.set(ctx, builds); err != nil {
		return builds, err
	}
	r.say("begins %v", next)
	if !builds.Seeding {
		return builds, nil
	}
	if err := r.seed(ctx, next); err != nil {
		return builds, err
	}
	if builds, err = r.still(next.Number); err != nil {
		return builds, err
	}
	builds.Seeding = false
	return builds, r.cluster.SetTableSets(ctx, builds)
}

// set tells every process which builds there are, and removes the others.
func (r *rebuild) set(ctx context.Context, builds topics.TableSets) error {
	if err := r.cluster.SetTableSets(ctx, builds); err != nil {
		return err
	}
	return r.cluster.Remove(ctx, builds)
}

// still answers the builds, unless another run of this command has begun a build of
// its own meanwhile.
func (r *rebuild) still(number int) (topics.TableSets, error) {
	builds, err := r.cluster.TableSets()
	if err == nil && (builds.Filling == nil || builds.Filling.Number != number) {
		err = errors.New("another tipoff rebuild has taken over, or given this one up")
	}
	return builds, err
}

// whence decides where the facts come from.
func (r *rebuild) whence(ctx context.Context) (string, error) {
	if r.From != "auto" {
		return r.From, nil
	}
	whole, why, err := r.cluster.FactsComplete()
	if err != nil {
		return "", err
	}
	if !whole {
		r.say("the topics do not hold every fact (%s): the database fills them", why)
		return "database", nil
	}
	db, err := r.OpenDatabase()
	if err != nil {
		return "", err
	}
	defer db.Close()
	ids, err := db.TopicIDs(ctx)
	if err != nil {
		r.say("the database does not say whether it holds older facts than the topics, which are taken as whole: %v", err)
		return "topics", nil
	}
	for _, topic := range topics.Facts() {
		ids = slices.DeleteFunc(ids, func(id string) bool { return id == r.cluster.TopicID(topic) })
	}
	if len(ids) > 0 {
		r.say("the database holds facts of topics that are gone: it fills them")
		return "database", nil
	}
	return "topics", nil
}

// seed publishes what the database holds onto the build's topics of facts.
func (r *rebuild) seed(ctx context.Context, to topics.TableSet) (err error) {
	db, err := r.OpenDatabase()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	all, err := db.CountFacts(ctx)
	if err != nil {
		return err
	}
	publisher, err := r.cluster.NewPublisher(time.Minute)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, publisher.Close()) }()
	bar := progress.New(r.errors, "publishing from the database", int(all))
	defer bar.End()
	return db.Facts(ctx, func(records []topics.Record) error {
		for i := range records {
			records[i].Topic = to.Facts(records[i].Topic)
		}
		for part := range slices.Chunk(records, seedAtOnce) {
			if err := insist(ctx, publisher, part); err != nil {
				return err
			}
			bar.Add(len(part))
		}
		return nil
	})
}

// seedAtOnce is how many facts are published together; the largest take 8 MiB.
const seedAtOnce = 100

// insist publishes until the broker has the records, through a minute of trouble.
// Those of a try that failed may come twice, and count once.
func insist(ctx context.Context, publisher *broker.Publisher, records []topics.Record) error {
	for deadline := time.Now().Add(time.Minute); ; {
		err := publisher.Publish(ctx, records)
		if err == nil || time.Now().After(deadline) || !errors.Is(err, tipoff.ErrUnavailable) && !errors.Is(err, tipoff.ErrBusy) {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fill waits until the processors have done everything that was there.
func (r *rebuild) fill(ctx context.Context, b topics.TableSet) error {
	var bar *progress.Progress
	all, done := int64(0), int64(0)
	err := r.cluster.CatchUp(ctx, b.Reads(), hops, func(left int64) {
		if bar == nil {
			all = left
			bar = progress.New(r.errors, fmt.Sprintf("filling table set %d", b.Number), int(all))
		}
		if gone := all - left; gone > done { // what came meanwhile is on top
			bar.Add(int(gone - done))
			done = gone
		}
	})
	if bar != nil {
		bar.End()
	}
	return err
}

// change lets the build serve.
func (r *rebuild) change(ctx context.Context, number int) (topics.TableSets, error) {
	builds, err := r.still(number)
	if err != nil {
		return builds, err
	}
	former := builds.Serving
	builds.Serving, builds.Filling, builds.Retiring = *builds.Filling, nil, &former
	return builds, r.cluster.SetTableSets(ctx, builds)
}
