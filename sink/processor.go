package sink

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/sethvargo/go-retry"

	"tipoff"
	"tipoff/topics"
	"tipoff/trace"
)

// Bounds of a batch: what one transaction mirrors, of one partition.
const (
	maxBatch      = 1000    // facts
	maxBatchBytes = 4 << 20 // of their values
	linger        = 10 * time.Millisecond
	lastFlush     = 2 * time.Second // for a batch under way when the session ends
)

// Publisher takes the rejections of facts. It returns nil once the broker has all
// records, else an error after some seconds.
type Publisher interface {
	Publish(ctx context.Context, records []topics.Record) error
}

// Sink is a consumer group's handler that mirrors facts. Each partition of a topic
// is written by one goroutine, batch by batch in the order of its offsets.
type Sink struct {
	Tracer *trace.Tracer // of each fact's way into the database; nil: none is traced

	// Saved is told of each coupon that the database has; nil: nobody is. It is to be set before
	// the sink runs.
	Saved func(company string, c *tipoff.Coupon)

	writer    writer
	source    Source
	publisher Publisher
	log       *slog.Logger
	health    *health

	mu       sync.Mutex
	rows     map[string]int64                     // written, by table
	unsaved  map[*sarama.ConsumerMessage]struct{} // the oldest of each batch under way
	rejected map[string]int64                     // facts, by topic
	warned   time.Time                            // of a rejection
	claims   int
	migrated bool
}

// Source tells one life of a topic from another, and which record is newer.
type Source interface {
	TopicID(topic string) string
	// Sequence is the place of an offset on a partition; see [tipoff.Sequence].
	Sequence(topic string, partition int32, offset int64) int64
}

// New prepares a sink into the database; publisher takes what the database refuses
// for good.
func New(db *Database, source Source, publisher Publisher, log *slog.Logger) *Sink {
	return &Sink{
		writer: writer{db: db}, source: source, publisher: publisher, log: log, health: newHealth(db.Where(), log),
		rows: map[string]int64{}, rejected: map[string]int64{}, unsaved: map[*sarama.ConsumerMessage]struct{}{},
	}
}

// Progress is how the sink is doing.
type Progress struct {
	Migrated   bool             // the schema was seen to be this program's
	Rows       map[string]int64 // written since the start, by table
	Rejected   map[string]int64 // facts that the database refused for good, since the start, by topic
	Partitions int              // of topics, that this process mirrors
	Unsaved    time.Duration    // age of the oldest fact read and not yet saved
	Waiting    map[Kind]int     // partitions whose facts wait, by reason
	Trouble    *Trouble         // the reason that most needs a person; nil: none waits
}

// Progress returns figures for metrics and readiness.
func (s *Sink) Progress(now time.Time) Progress {
	waiting, worst := s.health.state()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Progress{
		Migrated: s.migrated, Rows: map[string]int64{}, Rejected: maps.Clone(s.rejected), Partitions: s.claims, Waiting: waiting, Trouble: worst,
	}
	for table, rows := range s.rows {
		p.Rows[table] = rows
	}
	for m := range s.unsaved {
		p.Unsaved = max(p.Unsaved, now.Sub(m.Timestamp))
	}
	return p
}

// Migrate makes the schema the newest one, and tries until the database lets it or
// ctx ends.
func (s *Sink) Migrate(ctx context.Context) error {
	began := time.Now()
	return retry.Do(ctx, backoff(), func(context.Context) error {
		err := s.writer.db.Migrate(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			s.health.well(partition{})
			s.mu.Lock()
			defer s.mu.Unlock()
			s.migrated = true
			return nil
		}
		kind, err := s.writer.db.failure(ctx, err)
		if kind == Refused {
			kind = Unknown
		}
		s.health.failed(partition{}, Trouble{Kind: kind, Since: began, Cause: err})
		return retry.RetryableError(err)
	})
}

// wait is false when ctx ended first.
func wait(ctx context.Context, pause time.Duration) bool {
	select {
	case <-time.After(pause):
		return true
	case <-ctx.Done():
		return false
	}
}

// Setup is called by the consumer group at the beginning of a session.
func (s *Sink) Setup(session sarama.ConsumerGroupSession) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims = 0
	for _, partitions := range session.Claims() {
		s.claims += len(partitions)
	}
	return nil
}

// Cleanup is called by the consumer group at the end of a session.
func (s *Sink) Cleanup(sarama.ConsumerGroupSession) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims = 0
	return nil
}

// ConsumeClaim mirrors one partition until the session ends.
func (s *Sink) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	from := partition{claim.Topic(), s.source.TopicID(claim.Topic()), claim.Partition()}
	defer s.health.left(from)
	ctx, cancel := context.WithCancel(context.WithoutCancel(session.Context()))
	defer cancel()
	defer context.AfterFunc(session.Context(), func() { time.AfterFunc(lastFlush, cancel) })()
	d := &delivery{sink: s, from: from, session: session.Context(), ctx: ctx}
	for {
		batch := gather(session.Context(), claim.Messages())
		if len(batch) == 0 {
			return nil
		}
		if !d.save(batch) {
			return nil // the partition's next owner reads the batch again
		}
		session.MarkMessage(batch[len(batch)-1], "")
	}
}

// gather waits for a message and takes what comes with it. It is empty when the
// session has ended.
func gather(ctx context.Context, messages <-chan *sarama.ConsumerMessage) []*sarama.ConsumerMessage {
	var batch []*sarama.ConsumerMessage
	select {
	case m, ok := <-messages:
		if !ok {
			return nil
		}
		batch = append(batch, m)
	case <-ctx.Done():
		return nil
	}
	bytes := len(batch[0].Value)
	enough := time.NewTimer(linger)
	defer enough.Stop()
	for len(batch) < maxBatch && bytes < maxBatchBytes {
		select {
		case m, ok := <-messages:
			if !ok {
				return batch
			}
			batch = append(batch, m)
			bytes += len(m.Value)
		case <-enough.C:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

// Mirror writes records of one topic as the sink does with what it reads from a
// partition: batch by batch, each in one transaction. It is for measuring.
func Mirror(ctx context.Context, db *Database, topic string, records []topics.Record) error {
	w, from := writer{db: db}, partition{topic: topic, topicID: "mirror"}
	for first := 0; first < len(records); first += maxBatch {
		var facts []fact
		for i, r := range records[first:min(len(records), first+maxBatch)] {
			m := &sarama.ConsumerMessage{Topic: topic, Key: []byte(r.Key), Value: r.Value, Offset: int64(first + i), Timestamp: r.Received}
			if f, ok := read(m); ok {
				facts = append(facts, f)
			}
		}
		if _, err := w.write(ctx, from, facts); err != nil {
			return err
		}
	}
	return nil
}
