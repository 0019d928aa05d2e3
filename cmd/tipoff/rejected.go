package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff/broker"
	"tipoff/node"
	"tipoff/progress"
	"tipoff/topics"
)

// rejectedMode works on the records that could not be used.
type rejectedMode struct {
	List  rejectedListMode  `cmd:"" help:"List them, the newest last, with the count by reason."`
	Retry rejectedRetryMode `cmd:"" help:"Publish them again where they came from."`
}

func (rejectedMode) Help() string {
	return `A record that cannot be used - not what the contract says, a coupon id with another
content, a table value that is broken - goes to the topic tipoff-rejected, with the
reason, and holds up nothing. Here they are read, and published again once what was
wrong is mended. Works on KAFKA_BOOTSTRAP_SERVERS, else on the embedded broker under
TIPOFF_DATA, whether a Tipoff is running there or not.`
}

// selected are the rejections that a person asks for.
type selected struct {
	Topic  string        `placeholder:"TOPIC" help:"Only records that came from this topic."`
	Reason string        `placeholder:"TEXT" help:"Only those whose reason has this in it."`
	Since  time.Duration `placeholder:"DURATION" help:"Only those rejected within this time, as 2h."`
	ID     []string      `name:"id" placeholder:"ID" help:"Only these, as the list names them."`
}

// rejection is one record of the topic of rejections.
type rejection struct {
	ID string    `json:"id"`
	At time.Time `json:"rejected_at"`
	topics.Rejection
}

// place is one rejection's place: of several with the same id the last one counts.
type place struct {
	partition int32
	offset    int64
}

// rejections are the topic of rejections, read in two rounds: the first learns which
// of them are still open, as a later record says of each whether it was retried.
type rejections struct {
	cluster *broker.Cluster
	open    map[string]place
	foreign int // records that are no rejections
}

func readRejections(ctx context.Context, c *broker.Cluster, read func(n int)) (*rejections, error) {
	g := &rejections{cluster: c, open: map[string]place{}}
	err := c.Read(ctx, topics.Rejected, func(s broker.Stored) error {
		read(1)
		var r topics.Rejection
		switch err := json.Unmarshal(s.Value, &r); {
		case err != nil:
			g.foreign++
		case !r.Retried.IsZero():
			delete(g.open, r.ID())
		default:
			g.open[r.ID()] = place{s.Partition, s.Offset}
		}
		return nil
	})
	return g, err
}

// each calls visit for every open rejection that is selected.
func (g *rejections) each(ctx context.Context, which selected, read func(n int), visit func(rejection) error) error {
	oldest := time.Time{}
	if which.Since > 0 {
		oldest = time.Now().Add(-which.Since)
	}
	return g.cluster.Read(ctx, topics.Rejected, func(s broker.Stored) error {
		read(1)
		r := rejection{At: s.Appended.UTC()}
		if json.Unmarshal(s.Value, &r.Rejection) != nil {
			return nil
		}
		r.ID = r.Rejection.ID()
		if r.Received.IsZero() {
			r.Received = r.At
		}
		if at, open := g.open[r.ID]; !open || at != (place{s.Partition, s.Offset}) {
			return nil
		}
		if (which.Topic != "" && r.Topic != which.Topic) || !strings.Contains(r.Reason, which.Reason) || r.At.Before(oldest) ||
			(len(which.ID) > 0 && !slices.Contains(which.ID, r.ID)) {
			return nil
		}
		return visit(r)
	})
}

// whyNot says why a rejection cannot be retried; "": it can.
func (r *rejection) whyNot() string {
	switch {
	case r.Cut():
		return fmt.Sprintf("its value was cut at %d bytes, or its key at %d: post it again", topics.MaxRejectedValue, topics.MaxRejectedKey)
	case !slices.Contains(topics.Facts(), r.Topic):
		return "it came from " + r.Topic + ", which the processors fill from the facts: tipoff rebuild makes the tables anew"
	}
	return ""
}

// rejectedListMode lists rejections.
type rejectedListMode struct {
	selected
	Limit int  `default:"1000" placeholder:"N" help:"The newest N at the most (default ${default}); the counts are of all."`
	JSON  bool `name:"json" help:"One object a line, with the refused value in base64, and no counts."`
}

func (m *rejectedListMode) Run(ctx context.Context, s *node.Settings, t *terminal) error {
	if m.Limit < 1 {
		return fmt.Errorf("--limit: must be 1 or more, is %d", m.Limit)
	}
	cluster, end, err := node.Reach(ctx, s, node.OpenFolder)
	if err != nil {
		return err
	}
	return errors.Join(m.list(ctx, cluster, t.out), end())
}

func (m *rejectedListMode) list(ctx context.Context, c *broker.Cluster, out io.Writer) error {
	none := func(int) {}
	g, err := readRejections(ctx, c, none)
	if err != nil {
		return err
	}
	var found []rejection
	reasons, all := map[string]int{}, 0
	err = g.each(ctx, m.selected, none, func(r rejection) error {
		all++
		reasons[r.Reason]++
		if !m.JSON {
			r.Value = nil
		}
		if found = append(found, r); len(found) >= 2*m.Limit {
			found = newest(found, m.Limit)
		}
		return nil
	})
	if err != nil {
		return err
	}
	found = newest(found, m.Limit)
	if m.JSON {
		for i := range found {
			if err := json.MarshalWrite(out, &found[i]); err != nil {
				return err
			}
			fmt.Fprintln(out)
		}
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(found) > 0 {
		fmt.Fprintln(table, "REJECTED AT\tID (BY/TOPIC/PARTITION/OFFSET)\tKEY\tREASON")
	}
	for i := range found {
		r := &found[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.At.Format(time.RFC3339), plainText(r.ID), plainText(r.Key), plainText(r.Reason))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d rejected", all)
	if all > len(found) {
		fmt.Fprintf(out, ", the newest %d are listed", len(found))
	}
	fmt.Fprintln(out)
	return g.counts(out, reasons)
}

// counts prints a count by reason, the most frequent first.
func (g *rejections) counts(out io.Writer, reasons map[string]int) error {
	order := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), strings.Compare(a, b))
	})
	for _, reason := range order {
		fmt.Fprintf(out, "%8d  %s\n", reasons[reason], plainText(reason))
	}
	if g.foreign > 0 {
		fmt.Fprintf(out, "%8d  records on %s are no rejections and were left out\n", g.foreign, topics.Rejected)
	}
	return nil
}

// newest are the n newest, in the order of their times.
func newest(list []rejection, n int) []rejection {
	slices.SortStableFunc(list, func(a, b rejection) int { return a.At.Compare(b.At) })
	return slices.Delete(list, 0, max(0, len(list)-n))
}

// plainText keeps what clients sent from moving the cursor of whoever reads it.
func plainText(s string) string {
	quoted := fmt.Sprintf("%q", s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// rejectedRetryMode publishes rejected records again.
type rejectedRetryMode struct {
	selected
	DryRun bool `help:"Only say what would be published."`
}

func (rejectedRetryMode) Help() string {
	return `Publishes the records as they were, with the time at which the gateway took them in,
to the topics they came from. Then it notes on tipoff-rejected that it has done so: a
second retry leaves them alone. Should it be killed between the two it publishes them
again the next time, which does no harm: ids make every fact count once. What is
refused again is a new rejection.

Examples:

  tipoff rejected retry --dry-run
  tipoff rejected retry --reason "panic" --since 24h
  tipoff rejected retry --id tipoff-bettors/coupon_topic/3/1027`
}

// Bounds of what is published at once.
const (
	retryRecords  = 500
	retryBytes    = 4 << 20
	retryPatience = 30 * time.Second
)

func (m *rejectedRetryMode) Run(ctx context.Context, s *node.Settings, t *terminal) error {
	cluster, end, err := node.Reach(ctx, s, node.OpenFolder)
	if err != nil {
		return err
	}
	return errors.Join(m.retry(ctx, cluster, t), end())
}

func (m *rejectedRetryMode) retry(ctx context.Context, c *broker.Cluster, t *terminal) error {
	size, err := c.Size(topics.Rejected)
	if err != nil {
		return err
	}
	publisher, err := c.NewPublisher(retryPatience)
	if err != nil {
		return err
	}
	defer publisher.Close()
	bar := progress.New(t.errors, "reading rejections, twice", int(2*size))
	r := retrying{ctx: ctx, publisher: publisher, dry: m.DryRun, topics: map[string]int{}, not: map[string]int{}}
	g, err := readRejections(ctx, c, bar.Add)
	if err == nil {
		err = g.each(ctx, m.selected, bar.Add, r.add)
	}
	if err == nil {
		err = r.flush()
	}
	bar.End()
	r.say(t.out)
	return err
}

// retrying gathers records and publishes them, a few hundred at a time.
type retrying struct {
	ctx       context.Context
	publisher *broker.Publisher
	dry       bool
	records   []topics.Record
	marks     []topics.Record // what notes that the records were retried
	bytes     int
	topics    map[string]int // retried, by topic
	not       map[string]int // why others cannot be
}

func (r *retrying) add(found rejection) error {
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
		return r.flush()
	}
	return nil
}

// flush publishes first and notes after, so that nothing is noted that was not
// published.
func (r *retrying) flush() error {
	if len(r.records) > 0 && !r.dry {
		if err := r.publisher.Publish(r.ctx, r.records); err != nil {
			return err
		}
		if err := r.publisher.Publish(r.ctx, r.marks); err != nil {
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
