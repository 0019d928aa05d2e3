package sink

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-sql-driver/mysql"

	"tipoff"
)

// Bounds of a batch: what one transaction mirrors, of one partition.
const (
	maxBatch      = 1000    // facts
	maxBatchBytes = 4 << 20 // of their values
	linger        = 10 * time.Millisecond
	lastFlush     = 2 * time.Second // for a batch under way when the session ends
	retryFirst    = 50 * time.Millisecond
	retryMost     = 5 * time.Second
)

// Topics are the topics that the sink mirrors.
func Topics() []string {
	return []string{tipoff.TopicUsers, tipoff.TopicEvents, tipoff.TopicCoupons}
}

// Sink is a consumer group's handler that mirrors facts. Each partition of a topic
// is written by one goroutine, batch by batch in the order of its offsets.
type Sink struct {
	writer  writer
	topicID func(topic string) string
	log     *slog.Logger

	mu      sync.Mutex
	rows    map[string]int64                     // written, by table
	unsaved map[*sarama.ConsumerMessage]struct{} // the oldest of each batch under way
	failing error                                // why the last write failed; nil: it did not
	claims  int
}

// New prepares a sink into the database; topicID tells the present life of a
// topic.
func New(db *Database, topicID func(topic string) string, log *slog.Logger) *Sink {
	return &Sink{
		writer: writer{db: db}, topicID: topicID, log: log,
		rows: map[string]int64{}, unsaved: map[*sarama.ConsumerMessage]struct{}{},
	}
}

// Progress is how the sink is doing.
type Progress struct {
	Rows       map[string]int64 // written since the start, by table
	Partitions int              // of topics, that this process mirrors
	Unsaved    time.Duration    // age of the oldest fact read and not yet saved
	Failing    error            // why the database does not take rows; nil: it does
}

// Progress answers for metrics and readiness.
func (s *Sink) Progress(now time.Time) Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Progress{Rows: map[string]int64{}, Partitions: s.claims, Failing: s.failing}
	for table, rows := range s.rows {
		p.Rows[table] = rows
	}
	for m := range s.unsaved {
		p.Unsaved = max(p.Unsaved, now.Sub(m.Timestamp))
	}
	return p
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
	from := partition{claim.Topic(), s.topicID(claim.Topic()), claim.Partition()}
	for {
		batch := gather(session.Context(), claim.Messages())
		if len(batch) == 0 {
			return nil
		}
		if !s.save(session.Context(), from, batch) {
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

// save writes the batch, for as long as it takes. It gives up, and answers false,
// only some time after the session has ended.
func (s *Sink) save(session context.Context, from partition, batch []*sarama.ConsumerMessage) bool {
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
			facts = append(facts, f)
		}
	}
	if len(facts) == 0 {
		return true
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(session))
	defer cancel()
	defer context.AfterFunc(session, func() { time.AfterFunc(lastFlush, cancel) })()
	for pause := retryFirst; ; pause = min(2*pause, retryMost) {
		rows, err := s.writer.write(ctx, from, facts)
		s.note(rows, err, from)
		if err == nil {
			return true
		}
		if collided(err) && ctx.Err() == nil {
			pause = retryFirst
		}
		select {
		case <-time.After(pause):
		case <-session.Done():
			return false
		}
	}
}

func (s *Sink) note(rows map[string]int, err error, from partition) {
	s.mu.Lock()
	was := s.failing
	s.failing = err
	for table, n := range rows {
		s.rows[table] += int64(n)
	}
	s.mu.Unlock()
	switch {
	case err != nil && collided(err):
		s.log.Debug("two batches met, trying again", "topic", from.topic, "partition", from.number, "error", err)
	case err != nil && was == nil:
		s.log.Error("the database does not take rows, trying again until it does", "database", s.writer.db.where,
			"topic", from.topic, "partition", from.number, "error", err)
	case err == nil && was != nil && !collided(was):
		s.log.Info("the database takes rows again", "database", s.writer.db.where)
	}
}

// collided says that another transaction was in the way: a deadlock, a lock that
// took too long, a row that another writer inserted first.
func collided(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && (e.Number == 1213 || e.Number == 1205 || e.Number == 1062)
}

// Mirror writes records of one topic as the sink does with what it reads from a
// partition: batch by batch, each in one transaction. It is for measuring.
func Mirror(ctx context.Context, db *Database, topic string, records []tipoff.Record) error {
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
