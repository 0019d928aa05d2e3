package sink

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/IBM/sarama"
	"github.com/sethvargo/go-retry"

	"tipoff"
	"tipoff/topics"
	"tipoff/trace"
)

// How a failed write is tried again.
const (
	retryFirst    = 50 * time.Millisecond
	retryMost     = 5 * time.Second
	lockedFor     = 10 * time.Second // another session's lock is worth a word after that
	maxDuplicates = 5                // a row that was new so often is not another writer's
	warnEvery     = 10 * time.Second // of rejections
)

// backoff is the growing pause between attempts.
func backoff() retry.Backoff {
	return retry.WithCappedDuration(retryMost, retry.NewExponential(retryFirst))
}

// delivery is the work on one partition during one session.
type delivery struct {
	sink    *Sink
	from    partition
	session context.Context
	ctx     context.Context // ends some time after the session
}

// save mirrors a batch, for as long as it takes. It gives up, and returns false, only
// after the session has ended.
func (d *delivery) save(batch []*sarama.ConsumerMessage) bool {
	s := d.sink
	s.mu.Lock()
	s.unsaved[batch[0]] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.unsaved, batch[0])
		s.mu.Unlock()
	}()
	facts := make([]fact, 0, len(batch))
	for _, m := range batch {
		if f, ok := read(m); ok {
			f.offset = s.source.Sequence(m.Topic, m.Partition, m.Offset)
			f.span = s.Tracer.Process(f.trace, trace.Read{Topic: m.Topic, Group: topics.GroupSink, Partition: m.Partition, Offset: m.Offset, Received: f.At})
			facts = append(facts, f)
		}
	}
	saved := len(facts) == 0 || d.mirror(facts)
	for i := range facts {
		if !saved {
			facts[i].span.Fail("unsaved")
		}
		facts[i].span.End()
	}
	return saved
}

// mirror writes the facts in their order. Where the database refuses them for good it
// writes the first half, then the second, until a refused one is alone: that one is
// rejected, before anything after it is written.
func (d *delivery) mirror(facts []fact) bool {
	var since time.Time
	duplicates := 0
	for pauses := backoff(); ; {
		rows, err := d.sink.writer.write(d.ctx, d.from, facts)
		if err == nil {
			d.sink.wrote(rows)
			d.saved(facts)
			d.sink.health.well(d.from)
			return true
		}
		if d.session.Err() != nil {
			return false
		}
		kind, err := d.sink.writer.db.failure(d.ctx, err)
		if duplicates++; !duplicated(err) {
			duplicates = 0
		}
		if kind == Refused || duplicates == maxDuplicates {
			if len(facts) == 1 {
				return d.reject(&facts[0], err)
			}
			d.sink.log.Debug("the database refuses a batch, halving it", "topic", d.from.topic, "partition", d.from.number,
				"facts", len(facts), "error", err)
			middle := len(facts) / 2
			return d.mirror(facts[:middle]) && d.mirror(facts[middle:])
		}
		if since.IsZero() {
			since = time.Now()
		}
		if kind == Collided {
			if time.Since(since) > lockedFor {
				d.failed(kind, since, err)
			}
			d.sink.log.Debug("two transactions met, trying again", "topic", d.from.topic, "partition", d.from.number, "error", err)
			if !wait(d.session, rand.N(2*retryFirst)) {
				return false
			}
			continue
		}
		d.failed(kind, since, err)
		d.sink.writer.forget()
		if kind == ReadOnly {
			d.sink.writer.db.redial()
		}
		if pause, _ := pauses.Next(); !wait(d.session, pause) {
			return false
		}
	}
}

func (d *delivery) failed(kind Kind, since time.Time, err error) {
	d.sink.health.failed(d.from, Trouble{Kind: kind, Since: since, Cause: err})
}

// reject publishes a fact that the database refuses for good, with the reason, for as
// long as it takes. It returns as save does.
func (d *delivery) reject(f *fact, reason error) bool {
	m := f.record
	r := topics.Rejection{
		Reason:    fmt.Sprintf("the database refuses it: %v", reason),
		Kind:      topics.RefusedByDatabase,
		By:        topics.GroupSink,
		Topic:     m.Topic,
		Partition: m.Partition,
		Offset:    m.Offset,
		Epoch:     tipoff.SequenceEpoch(f.offset),
		Key:       string(m.Key),
		Value:     m.Value,
		Received:  topics.ParseHeaders(headersOf(m)).ReceivedBy(m.Timestamp).UTC(),
	}
	record := topics.Record{Topic: topics.Rejected, Key: r.ID(), Value: r.Marshal(), Received: r.Received}
	since := time.Now()
	for pauses := backoff(); ; {
		err := d.sink.publisher.Publish(d.ctx, []topics.Record{record})
		if err == nil {
			d.sink.rejectedOne(&r)
			f.span.Fail(string(topics.RefusedByDatabase))
			d.sink.health.well(d.from)
			return true
		}
		if d.session.Err() != nil {
			return false
		}
		d.failed(Unpublished, since, err)
		if pause, _ := pauses.Next(); !wait(d.session, pause) {
			return false
		}
	}
}

// saved tells of coupons that the database has.
func (d *delivery) saved(facts []fact) {
	if d.sink.Saved == nil {
		return
	}
	for i := range facts {
		if f := &facts[i]; f.Coupon != nil {
			d.sink.Saved(f.company, f.Coupon)
		}
	}
}

func (s *Sink) wrote(rows map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for table, n := range rows {
		s.rows[table] += int64(n)
	}
}

// rejectedOne counts a rejection, and logs some of them.
func (s *Sink) rejectedOne(r *topics.Rejection) {
	s.mu.Lock()
	s.rejected[r.Topic]++
	now, total := time.Now(), s.rejected[r.Topic]
	warn := now.Sub(s.warned) >= warnEvery
	if warn {
		s.warned = now
	}
	s.mu.Unlock()
	if warn {
		s.log.Warn("the database refuses a fact for good: it is on "+topics.Rejected, "key", r.Key, "topic", r.Topic,
			"partition", r.Partition, "offset", r.Offset, "reason", r.Reason, "rejected", total)
	}
}
