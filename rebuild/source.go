package rebuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sethvargo/go-retry"

	"tipoff"
	"tipoff/broker"
	"tipoff/progress"
	"tipoff/sink"
	"tipoff/topics"
)

// chooseSource decides where the facts come from.
func (r *Rebuild) chooseSource(ctx context.Context) (string, error) {
	if from := cmp.Or(r.From, FromAuto); from != FromAuto {
		return from, nil
	}
	why, err := missing(ctx, r.Cluster)
	if err != nil {
		return "", err
	}
	if why != "" {
		r.say("the topics do not hold every fact (%s): the database fills them", why)
		return FromDatabase, nil
	}
	db, err := r.Database()
	if err != nil {
		return "", err
	}
	defer db.Close()
	ids, err := db.TopicIDs(ctx)
	if err != nil {
		r.say("the database does not say whether it holds older facts than the topics, which are taken as whole: %v", err)
		return FromTopics, nil
	}
	for _, topic := range topics.Facts() {
		ids = slices.DeleteFunc(ids, func(id string) bool { return id == r.Cluster.TopicID(topic) })
	}
	if len(ids) > 0 {
		r.say("the database holds facts of topics that are gone: it fills them")
		return FromDatabase, nil
	}
	lost, err := r.lost(ctx, db)
	if err != nil {
		return "", err
	}
	if lost != "" {
		r.say("the database holds facts that %s has lost: it fills them", lost)
		return FromDatabase, nil
	}
	return FromTopics, nil
}

// lost names a log that has lost what the database holds of it; "": none has.
func (r *Rebuild) lost(ctx context.Context, db *sink.Database) (log string, err error) {
	reached, err := db.Reached(ctx)
	if err != nil {
		return "", err
	}
	var places []broker.Place
	for _, newest := range reached {
		if newest.TopicID == r.Cluster.TopicID(newest.Topic) {
			places = append(places, broker.Place{Topic: newest.Topic, Partition: newest.Partition, Sequence: newest.Sequence})
		}
	}
	gone, err := r.Cluster.Gone(ctx, places)
	if err != nil || len(gone) == 0 {
		return "", err
	}
	return fmt.Sprintf("topic %s, partition %d,", gone[0].Topic, gone[0].Partition), nil
}

// missing says why the facts' topics do not hold every record that they ever had; "":
// they do.
func missing(ctx context.Context, c *broker.Cluster) (why string, err error) {
	for _, name := range []string{topics.Events, topics.Coupons} { // of users the newest is kept for ever
		oldest, err := c.Begins(ctx, name)
		if err != nil {
			return "", err
		}
		for p, offset := range oldest {
			if offset > 0 {
				return fmt.Sprintf("%s, partition %d, begins at offset %d", name, p, offset), nil
			}
		}
	}
	return "", nil
}

// seed publishes what the database holds onto the table set's topics of facts.
func (r *Rebuild) seed(ctx context.Context, to topics.TableSet) (err error) {
	db, err := r.Database()
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
	publisher, err := r.Cluster.NewPublisher(time.Minute)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, publisher.Close()) }()
	bar := progress.New(r.Progress, "publishing from the database", int(all))
	defer bar.End()
	return db.Facts(ctx, func(records []topics.Record) error {
		for i := range records {
			records[i].Topic = to.Facts(records[i].Topic)
		}
		for part := range slices.Chunk(records, seedAtOnce) {
			if err := publish(ctx, publisher, part); err != nil {
				return err
			}
			bar.Add(len(part))
		}
		return nil
	})
}

// seedAtOnce is how many facts are published together; the largest take 8 MiB.
const seedAtOnce = 100

// publish tries until the broker has the records, through a minute of trouble. Those
// of a try that failed may come twice, and count once.
func publish(ctx context.Context, publisher *broker.Publisher, records []topics.Record) error {
	return retry.Do(ctx, retry.WithMaxDuration(time.Minute, broker.Backoff()), func(ctx context.Context) error {
		err := publisher.Publish(ctx, records)
		if errors.Is(err, tipoff.ErrUnavailable) || errors.Is(err, tipoff.ErrBusy) {
			return retry.RetryableError(err)
		}
		return err
	})
}
