package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"

	"tipoff"
	"tipoff/topics"
)

// session and claim let a test play the broker for one partition.
type session struct {
	sarama.ConsumerGroupSession
	ctx    context.Context
	marked chan int64
}

func (s *session) Context() context.Context { return s.ctx }

func (s *session) MarkMessage(m *sarama.ConsumerMessage, _ string) { s.marked <- m.Offset }

func (s *session) Claims() map[string][]int32 { return map[string][]int32{topics.Users: {0}} }

type claim struct {
	sarama.ConsumerGroupClaim
	partition
	messages chan *sarama.ConsumerMessage
}

func (c *claim) Topic() string                            { return c.topic }
func (c *claim) Partition() int32                         { return c.number }
func (c *claim) Messages() <-chan *sarama.ConsumerMessage { return c.messages }

// bin is a topic of rejections, and a broker that may fail.
type bin struct {
	mu        sync.Mutex
	failures  int // the next ones
	list      []topics.Rejection
	publishes func(topics.Rejection)
}

func (b *bin) Publish(_ context.Context, records []topics.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures > 0 {
		b.failures--
		return tipoff.Unavailable("publish", errors.New("no broker"))
	}
	for _, record := range records {
		var r topics.Rejection
		if err := json.Unmarshal(record.Value, &r); err != nil || record.Topic != topics.Rejected || record.Key != r.ID() {
			return fmt.Errorf("record %+v: %v", record, err)
		}
		if b.publishes != nil {
			b.publishes(r)
		}
		b.list = append(b.list, r)
	}
	return nil
}

func (b *bin) offsets() []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := []int64{}
	for _, r := range b.list {
		list = append(list, r.Offset)
	}
	return list
}

// lines collects what is logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// running is a sink at work on logs.
type running struct {
	*testing.T
	*Sink
	rejected bin
	lines    lines
	ctx      context.Context
	end      context.CancelFunc
	claims   sync.WaitGroup
}

// present are topics whose names are their ids, in their first epoch.
type present struct{}

func (present) TopicID(topic string) string                    { return topic }
func (present) Sequence(_ string, _ int32, offset int64) int64 { return tipoff.Sequence(0, offset) }

func start(t *testing.T, db *Database) *running {
	r := &running{T: t}
	r.Sink = New(db, present{}, &r.rejected, slog.New(slog.NewTextHandler(&r.lines, &slog.HandlerOptions{Level: slog.LevelDebug})))
	r.ctx, r.end = context.WithCancel(context.Background())
	t.Cleanup(r.stop)
	return r
}

// mirror lets the sink work on a log's partition, in a goroutine of its own. The
// answered function waits until it has marked all.
func (r *running) mirror(l *log) (done func()) {
	ses, cl := r.claim(l)
	for _, m := range l.records {
		cl.messages <- m
	}
	return func() {
		r.Helper()
		for at := int64(-2); at != -1 && at != l.records[len(l.records)-1].Offset; {
			at = r.marked(ses)
		}
	}
}

// slowly is mirror, with each record a batch of its own.
func (r *running) slowly(l *log) (done func()) {
	ses, cl := r.claim(l)
	return func() {
		r.Helper()
		for _, m := range l.records {
			cl.messages <- m
			if at := r.marked(ses); at != m.Offset {
				r.Errorf("marked %d after %d", at, m.Offset)
				return
			}
		}
	}
}

func (r *running) claim(l *log) (*session, *claim) {
	ses := &session{ctx: r.ctx, marked: make(chan int64, len(l.records)+1)}
	cl := &claim{partition: l.partition, messages: make(chan *sarama.ConsumerMessage, len(l.records)+1)}
	r.claims.Go(func() {
		if err := r.ConsumeClaim(ses, cl); err != nil {
			r.Error(err)
		}
	})
	return ses, cl
}

// marked is the next offset that the sink marks, -1 after a failure.
func (r *running) marked(s *session) int64 {
	r.Helper()
	select {
	case at := <-s.marked:
		return at
	case <-time.After(60 * time.Second):
		r.Errorf("not all was mirrored in time; the log:\n%s", &r.lines)
		return -1
	}
}

// stop ends the session and waits for the sink.
func (r *running) stop() {
	r.end()
	r.claims.Wait()
}

// waits waits until facts wait for a reason.
func (r *running) waits(kind Kind) {
	r.Helper()
	eventually(r.T, func() error {
		if p := r.Progress(noon); p.Waiting[kind] == 0 || p.Trouble == nil || p.Trouble.Kind != kind {
			return fmt.Errorf("progress = %+v, want %s; the log:\n%s", p, kind, &r.lines)
		}
		return nil
	})
}

func eventually(t *testing.T, holds func() error) {
	t.Helper()
	var err error
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); <-time.After(time.Millisecond) {
		if err = holds(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func exec(t *testing.T, db *Database, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.sql.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// everything is every row of the mirror, as text.
func everything(t *testing.T, db *Database) (all []string) {
	t.Helper()
	for _, table := range []string{"companies", "sources", "users", "events", "coupons"} {
		all = append(all, rows(t, db, "SELECT * FROM "+table+" ORDER BY id")...)
	}
	for _, table := range []string{"event_participants ORDER BY event_pk", "selections ORDER BY coupon_pk"} {
		all = append(all, rows(t, db, "SELECT * FROM "+table+", position")...)
	}
	return all
}
