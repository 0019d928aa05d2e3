package rejected

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tipoff"
	"tipoff/broker"
)

// Recent answers for a gateway what the newest rejections are, and publishes single ones
// again. It reads the newest records of each partition alone: whatever is said of a
// rejection stands behind it there, so what is still open is known of all that is read.
type Recent struct {
	looks
	publisher *broker.Publisher
	retrying  chan struct{} // holds one while a retry is under way
}

// recentPatience is how long a question may wait for another one, and how long it may read.
const recentPatience = 3 * time.Second

// NewRecent returns one that publishes by the publisher, until it is closed.
func NewRecent(c *broker.Cluster, publisher *broker.Publisher) *Recent {
	r := &Recent{publisher: publisher, retrying: make(chan struct{}, 1)}
	r.cluster = c
	r.life, r.end = context.WithCancel(context.Background())
	return r
}

// letter is a rejection that was read, and what stands behind it about the same record.
type letter struct {
	rejection
	retried time.Time // when it was published again; zero: it was not
	newer   string    // the number of a later rejection of the same record
}

// number is what a gateway names a rejection by: its place on the topic.
func (l *letter) number() string { return fmt.Sprintf("%d-%d", l.on.partition, l.on.offset) }

// DeadLetters lists what is open of a company's, the newest first.
func (r *Recent) DeadLetters(ctx context.Context, company string, f tipoff.DeadLetterFilter) (page tipoff.DeadLetterPage, err error) {
	after, err := tipoff.ParseDeadLetterCursor(f.Cursor)
	if err != nil {
		return page, err
	}
	letters, older, err := r.look(ctx, company)
	if err != nil {
		return page, err
	}
	page.Older = older
	page.Rejected, page.Counts = []tipoff.DeadLetter{}, []tipoff.ReasonCount{}
	slices.SortFunc(letters, func(a, b letter) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(b.number(), a.number()))
	})
	reasons := map[string]int{}
	for i := range letters {
		l := &letters[i]
		if !l.retried.IsZero() || l.newer != "" {
			continue
		}
		reason := string(cmp.Or(l.Kind, tipoff.ReasonUnknown))
		reasons[reason]++
		past := after.ID != "" && cmp.Or(l.At.Compare(after.At), strings.Compare(l.number(), after.ID)) >= 0
		if past || f.Reason != "" && f.Reason != reason {
			continue
		}
		if len(page.Rejected) == f.N {
			if page.Cursor == nil {
				cursor := tipoff.DeadLetterCursorAfter(&page.Rejected[f.N-1])
				page.Cursor = &cursor
			}
			continue
		}
		page.Rejected = append(page.Rejected, l.shown(reason))
	}
	for reason, records := range reasons {
		page.Counts = append(page.Counts, tipoff.ReasonCount{Reason: reason, Records: records})
	}
	slices.SortFunc(page.Counts, func(a, b tipoff.ReasonCount) int {
		return cmp.Or(b.Records-a.Records, strings.Compare(a.Reason, b.Reason))
	})
	return page, nil
}

// shown is a rejection as a company sees it.
func (l *letter) shown(reason string) tipoff.DeadLetter {
	text := l.Value[:min(len(l.Value), tipoff.MaxDeadLetterText)]
	return tipoff.DeadLetter{
		ID: l.number(), Reason: reason, Detail: strings.ToValidUTF8(l.Reason, "\uFFFD"), Topic: l.Topic, Partition: l.Partition, Offset: l.Offset,
		Key: strings.ToValidUTF8(l.Key, "\uFFFD"), At: l.At, Value: strings.ToValidUTF8(string(text), "\uFFFD"),
		Truncated: len(l.Value) > len(text) || l.Cut(),
	}
}

// Retry publishes a company's dead letter again, and returns the topic. The error is
// [tipoff.ErrNotFound], or a [tipoff.Conflict] that says why it cannot be. One is published
// at a time, so that none is twice; what has begun goes on to its own end.
//
// Another gateway, or tipoff rejected retry, may publish the same one at the same moment.
// That is harmless, as a repeat of a fact is: by its id it counts once.
func (r *Recent) Retry(ctx context.Context, company, id string) (topic string, err error) {
	waiting := time.NewTimer(recentPatience)
	defer waiting.Stop()
	select {
	case r.retrying <- struct{}{}:
	case <-waiting.C:
		return "", fmt.Errorf("retry a rejection: %w", tipoff.ErrBusy)
	case <-r.life.Done():
		return "", errClosed
	case <-ctx.Done():
		return "", tipoff.Unavailable("retry a rejection", ctx.Err())
	}
	type outcome struct {
		topic string
		err   error
	}
	done := make(chan outcome, 1)
	begun := r.start(func() {
		defer func() { <-r.retrying }()
		o := outcome{}
		o.err = caught(func() (err error) {
			o.topic, err = r.retry(ctx, company, id)
			return err
		})
		done <- o
	})
	if !begun {
		<-r.retrying
		return "", errClosed
	}
	atMost := time.NewTimer(3 * recentPatience) // publishing has its own time
	defer atMost.Stop()
	select {
	case o := <-done:
		return o.topic, o.err
	case <-atMost.C:
		return "", tipoff.Unavailable("retry a rejection", context.DeadlineExceeded)
	}
}

func (r *Recent) retry(ctx context.Context, company, id string) (topic string, err error) {
	letters, older, err := r.look(ctx, company)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(letters, func(l letter) bool { return l.number() == id })
	switch {
	case i < 0 && older > 0:
		return "", fmt.Errorf("%s is not among the newest records, of which %d are looked at: %w", id, tipoff.MaxDeadLettersLooked, tipoff.ErrNotFound)
	case i < 0:
		return "", tipoff.ErrNotFound
	}
	l := &letters[i]
	switch why := l.whyNot(); {
	case !l.retried.IsZero():
		return "", &tipoff.Conflict{Why: "it was sent again already, at " + l.retried.UTC().Format(time.RFC3339)}
	case l.newer != "":
		return "", &tipoff.Conflict{Why: "it was rejected again since: send " + l.newer + " again"}
	case why != "":
		return "", &tipoff.Conflict{Why: why}
	}
	again := newRetrying(r.publisher, false)
	if err := again.add(ctx, l.rejection); err != nil {
		return "", err
	}
	return l.Topic, again.flush(ctx)
}
