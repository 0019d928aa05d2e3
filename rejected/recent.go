package rejected

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff"
	"tipoff/broker"
	"tipoff/topics"
)

// Recent answers for a gateway what the newest rejections are, and publishes single ones
// again. It reads the newest records of each partition alone: whatever is said of a
// rejection stands behind it there, so what is still open is known of all that is read.
type Recent struct {
	cluster   *broker.Cluster
	publisher *broker.Publisher
	asking    chan struct{} // holds one while a question is under way
}

// recentPatience is how long a question may wait for another one, and how long it may read.
const recentPatience = 3 * time.Second

// NewRecent returns one that publishes by the publisher.
func NewRecent(c *broker.Cluster, publisher *broker.Publisher) *Recent {
	return &Recent{cluster: c, publisher: publisher, asking: make(chan struct{}, 1)}
}

// letter is a rejection that was read, and what stands behind it about the same record.
type letter struct {
	rejection
	retried time.Time // when it was published again; zero: it was not
	newer   string    // the number of a later rejection of the same record
}

// number is what a gateway names a rejection by: its place on the topic.
func (l *letter) number() string { return fmt.Sprintf("%d-%d", l.on.partition, l.on.offset) }

// looked is what a look found, and how many older records there are.
type looked struct {
	letters []letter
	older   int64
}

// DeadLetters lists what is open of a company's, the newest first.
func (r *Recent) DeadLetters(ctx context.Context, company string, f tipoff.DeadLetterFilter) (page tipoff.DeadLetterPage, err error) {
	after, err := tipoff.ParseDeadLetterCursor(f.Cursor)
	if err != nil {
		return page, err
	}
	looked, err := alone(ctx, r, func(ctx context.Context) (l looked, err error) {
		l.letters, l.older, err = r.look(ctx, company)
		return l, err
	})
	if err != nil {
		return page, err
	}
	letters := looked.letters
	page.Older = looked.older
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
// [tipoff.ErrNotFound], or a [tipoff.Conflict] that says why it cannot be.
func (r *Recent) Retry(ctx context.Context, company, id string) (topic string, err error) {
	return alone(ctx, r, func(looking context.Context) (string, error) {
		letters, older, err := r.look(looking, company)
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
	})
}

// alone does something while no other question is under way, so that nothing is read or
// published twice at once. It gives up after a while, but what it has begun goes on to
// its own end.
func alone[T any](ctx context.Context, r *Recent, work func(context.Context) (T, error)) (none T, err error) {
	waiting := time.NewTimer(recentPatience)
	defer waiting.Stop()
	select {
	case r.asking <- struct{}{}:
	case <-waiting.C:
		return none, fmt.Errorf("look at rejections: %w", tipoff.ErrBusy)
	case <-ctx.Done():
		return none, tipoff.Unavailable("look at rejections", ctx.Err())
	}
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-r.asking }()
		defer func() { // not of a request's own goroutine, in which it would be caught
			if fault := recover(); fault != nil {
				done <- outcome{err: fmt.Errorf("look at rejections: %v\n%s", fault, debug.Stack())}
			}
		}()
		looking, cancel := context.WithTimeout(ctx, recentPatience)
		defer cancel()
		value, err := work(looking)
		done <- outcome{value, err}
	}()
	atMost := time.NewTimer(3 * recentPatience) // publishing has its own time
	defer atMost.Stop()
	select {
	case o := <-done:
		return o.value, o.err
	case <-atMost.C:
		return none, tipoff.Unavailable("look at rejections", context.DeadlineExceeded)
	}
}

// look reads the newest rejections, and returns those of a company.
func (r *Recent) look(ctx context.Context, company string) (letters []letter, older int64, err error) {
	stored, older, err := r.cluster.Last(ctx, topics.Rejected, tipoff.MaxDeadLettersLooked, tipoff.MaxDeadLetterBytes)
	if err != nil {
		return nil, 0, tipoff.Unavailable("read "+topics.Rejected, err)
	}
	last := map[string]int{} // of each id
	for _, s := range stored {
		l := letter{rejection: rejection{At: s.Appended.UTC(), on: position{s.Partition, s.Offset, s.Appended.UTC()}}}
		if json.Unmarshal(s.Value, &l.Rejection) != nil {
			continue
		}
		if of, _, ok := topics.SplitKey(l.Key); !ok || of != company {
			continue
		}
		l.ID = l.Rejection.ID()
		if l.Received.IsZero() {
			l.Received = l.At
		}
		before, there := last[l.ID]
		switch {
		case !l.Retried.IsZero():
			if there {
				letters[before].retried = l.Retried
			}
			continue
		case there:
			letters[before].newer = l.number()
		}
		last[l.ID] = len(letters)
		letters = append(letters, l)
	}
	return letters, older, nil
}
