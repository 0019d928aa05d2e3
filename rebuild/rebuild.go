// Package rebuild fills a table set beside the one that serves, lets the gateways
// change over to it, and removes the one before.
//
// The processes that run do the work, as the control topic tells them to; a
// [Rebuild] only moves that topic on from one state to the next, so it may be
// interrupted anywhere and goes on from where it stood. A new table set reads the
// facts' topics, or copies of the facts where those no longer hold all or have other
// partitions: what the database holds, published first, then what a [Copier] brings.
// It serves once every record that stood on the topics has passed all groups on its
// way; which groups those are, and how long the way is, the processors' graphs say.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"tipoff/broker"
	"tipoff/progress"
	"tipoff/sink"
	"tipoff/topics"
)

// Where the facts of a new table set come from.
const (
	FromAuto     = "auto" // topics where they still hold everything, else the database
	FromTopics   = "topics"
	FromDatabase = "database"
)

// Rebuild fills a table set.
type Rebuild struct {
	From       string        // FromAuto, which "" means too, FromTopics or FromDatabase
	Partitions int           // of the new tables; 0: as the facts' topics
	Grace      time.Duration // how long the former tables are kept up for gateways that are slow to change over

	Cluster  *broker.Cluster
	Database func() (*sink.Database, error)
	Out      io.Writer // what is said
	Progress io.Writer // how far it has come
}

func (r *Rebuild) say(form string, args ...any) { fmt.Fprintf(r.Out, form+"\n", args...) }

// Status says which table sets there are, and how far a rebuild has come.
func (r *Rebuild) Status(ctx context.Context) error {
	sets, err := r.Cluster.TableSets()
	if err != nil {
		return err
	}
	r.say("%v serves", sets.Serving)
	if sets.Retiring != nil {
		r.say("%v served before and is kept up for a while", *sets.Retiring)
	}
	switch {
	case sets.Filling == nil:
		r.say("no rebuild is under way")
	case sets.Seeding:
		r.say("%v: its facts are being published from the database", *sets.Filling)
	default:
		left, err := Left(ctx, r.Cluster, *sets.Filling)
		if err != nil {
			return err
		}
		r.say("%v is being filled, %d records are left", *sets.Filling, left)
	}
	return nil
}

// Cancel drops a table set that is being filled.
func (r *Rebuild) Cancel(ctx context.Context) error {
	sets, err := r.Cluster.TableSets()
	if err != nil {
		return err
	}
	if sets.Filling == nil {
		return errors.New("no rebuild is under way")
	}
	given := *sets.Filling
	sets.Filling, sets.Seeding = nil, false
	if err := r.replace(ctx, sets); err != nil {
		return err
	}
	r.say("%v is given up", given)
	return nil
}

// Run takes the rebuild from where it stands to its end.
func (r *Rebuild) Run(ctx context.Context) error {
	sets, err := r.Cluster.TableSets()
	if err != nil {
		return err
	}
	if sets.Retiring == nil { // else an earlier run was interrupted after the change
		if sets, err = r.begin(ctx, sets); err != nil {
			return err
		}
		if err := r.fill(ctx, *sets.Filling); err != nil {
			return err
		}
		if sets, err = r.changeOver(ctx, sets.Filling.Number); err != nil {
			return err
		}
	}
	r.say("%v serves; %v is kept up for %s", sets.Serving, *sets.Retiring, r.Grace)
	select {
	case <-time.After(r.Grace):
	case <-ctx.Done():
		return ctx.Err()
	}
	sets.Retiring = nil
	if err := r.replace(ctx, sets); err != nil {
		return err
	}
	r.say("%v serves alone, the tables are filled", sets.Serving)
	return nil
}

// begin adds a new table set, or finds the one that an earlier run has added.
func (r *Rebuild) begin(ctx context.Context, sets topics.TableSets) (topics.TableSets, error) {
	if f := sets.Filling; f != nil && !sets.Seeding {
		if r.From == FromTopics && f.Copied && f.Partitions == 0 || r.From == FromDatabase && !f.Copied || r.Partitions != 0 && r.Partitions != f.Partitions {
			return sets, fmt.Errorf("%v is under way with other settings: run tipoff rebuild without settings to go on with it, or with --cancel to give it up", *f)
		}
		r.say("goes on with %v", *f)
		return sets, nil
	}
	from, err := r.chooseSource(ctx)
	if err != nil {
		return sets, err
	}
	// A seeding that was interrupted begins again, on topics of another number.
	sets.Last++
	next := topics.TableSet{Number: sets.Last, Partitions: r.Partitions, Copied: r.Partitions != 0 || from == FromDatabase}
	sets.Filling, sets.Seeding = &next, from == FromDatabase
	if err := r.replace(ctx, sets); err != nil {
		return sets, err
	}
	r.say("begins %v", next)
	if !sets.Seeding {
		return sets, nil
	}
	if err := r.seed(ctx, next); err != nil {
		return sets, err
	}
	if sets, err = r.ours(next.Number); err != nil {
		return sets, err
	}
	sets.Seeding = false
	return sets, Announce(ctx, r.Cluster, sets)
}

// replace tells every process which table sets there are, and removes the others.
func (r *Rebuild) replace(ctx context.Context, sets topics.TableSets) error {
	if err := Announce(ctx, r.Cluster, sets); err != nil {
		return err
	}
	return remove(ctx, r.Cluster, sets)
}

// ours returns the table sets, unless another run has added one of its own meanwhile.
func (r *Rebuild) ours(number int) (topics.TableSets, error) {
	sets, err := r.Cluster.TableSets()
	if err == nil && (sets.Filling == nil || sets.Filling.Number != number) {
		err = errors.New("another tipoff rebuild has taken over, or given this one up")
	}
	return sets, err
}

// fill waits until the processors have done everything that was there.
func (r *Rebuild) fill(ctx context.Context, set topics.TableSet) error {
	var bar *progress.Progress
	all, done := int64(0), int64(0)
	err := catchUp(ctx, r.Cluster, set, func(left int64) {
		if bar == nil {
			all = left
			bar = progress.New(r.Progress, fmt.Sprintf("filling table set %d", set.Number), int(all))
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

// changeOver lets the table set serve.
func (r *Rebuild) changeOver(ctx context.Context, number int) (topics.TableSets, error) {
	sets, err := r.ours(number)
	if err != nil {
		return sets, err
	}
	former := sets.Serving
	sets.Serving, sets.Filling, sets.Retiring = *sets.Filling, nil, &former
	return sets, Announce(ctx, r.Cluster, sets)
}
