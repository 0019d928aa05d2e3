package rejected

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff/broker"
	"tipoff/progress"
	"tipoff/topics"
)

// Bounds of what is published at once.
const (
	retryRecords  = 500
	retryBytes    = 4 << 20
	retryPatience = 30 * time.Second
)

// Retry publishes the selected records again, or, on a dry run, only says what it
// would publish.
func Retry(ctx context.Context, c *broker.Cluster, which Selected, dry bool, out, bar io.Writer) error {
	size, err := c.Size(ctx, topics.Rejected)
	if err != nil {
		return err
	}
	publisher, err := c.NewPublisher(retryPatience)
	if err != nil {
		return err
	}
	defer publisher.Close()
	p := progress.New(bar, "reading rejections, twice", int(2*size))
	r := newRetrying(publisher, dry)
	err = r.run(ctx, c, which, p.Add)
	p.End()
	r.say(out)
	return err
}

// retrying gathers records and publishes them, a few hundred at a time.
type retrying struct {
	publisher *broker.Publisher
	dry       bool
	records   []topics.Record
	marks     []topics.Record // what notes that the records were retried
	bytes     int
	topics    map[string]int // retried, by topic
	not       map[string]int // why others cannot be
}

func newRetrying(publisher *broker.Publisher, dry bool) *retrying {
	return &retrying{publisher: publisher, dry: dry, topics: map[string]int{}, not: map[string]int{}}
}

func (r *retrying) run(ctx context.Context, c *broker.Cluster, which Selected, count func(int)) error {
	g, err := read(ctx, c, count)
	if err != nil {
		return err
	}
	err = g.each(ctx, which, count, func(found rejection) error { return r.add(ctx, found) })
	if err != nil {
		return err
	}
	return r.flush(ctx)
}

func (r *retrying) add(ctx context.Context, found rejection) error {
	if why := found.whyNot(); why != "" {
		r.not[why]++
		return nil
	}
	r.records = append(r.records, topics.Record{Topic: found.Topic, Key: found.Key, Value: found.Value, Received: found.Received})
	mark := found.Rejection
	mark.Value, mark.Retried = nil, time.Now().UTC()
	value, err := json.Marshal(mark)
	if err != nil {
		return err
	}
	r.marks = append(r.marks, topics.Record{Topic: topics.Rejected, Key: found.ID, Value: value, Received: found.Received})
	if r.bytes += len(found.Value); len(r.records) >= retryRecords || r.bytes >= retryBytes {
		return r.flush(ctx)
	}
	return nil
}

// flush publishes first and notes after, so that nothing is noted that was not
// published.
func (r *retrying) flush(ctx context.Context) error {
	if len(r.records) > 0 && !r.dry {
		if err := r.publisher.Publish(ctx, r.records); err != nil {
			return err
		}
		if err := r.publisher.Publish(ctx, r.marks); err != nil {
			return fmt.Errorf("%d records are published again, but that cannot be noted: %w", len(r.records), err)
		}
	}
	for _, record := range r.records {
		r.topics[record.Topic]++
	}
	r.records, r.marks, r.bytes = nil, nil, 0
	return nil
}

func (r *retrying) say(out io.Writer) {
	all, verb := 0, "published again"
	if r.dry {
		verb = "would be published again"
	}
	for _, n := range r.topics {
		all += n
	}
	fmt.Fprintf(out, "%d %s\n", all, verb)
	for _, topic := range slices.Sorted(maps.Keys(r.topics)) {
		fmt.Fprintf(out, "%8d  to %s\n", r.topics[topic], topic)
	}
	for _, why := range slices.Sorted(maps.Keys(r.not)) {
		fmt.Fprintf(out, "%8d  cannot be: %s\n", r.not[why], why)
	}
}
