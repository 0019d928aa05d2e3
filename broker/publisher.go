package broker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"

	"tipoff"
	"tipoff/topics"
	"tipoff/trace"
)

// Bounds of a publisher.
const (
	// maxOutstanding is how many bytes may wait for the broker. Over it,
	// publishing returns tipoff.ErrBusy.
	maxOutstanding = 64 << 20
	recordOverhead = 200 // bytes of bookkeeping a record, counted with it
	// largePublish is from where on a batch leaves a quarter of maxOutstanding to
	// smaller ones: a flood of large batches does not stop small ones.
	largePublish = 64 << 10
	// publishRetries is how often a record is sent again that the broker does not take,
	// before whoever posted it is told.
	publishRetries = 3
)

// Publisher sends facts to the broker and waits for all its replicas.
type Publisher struct {
	producer    *kgo.Client
	patience    time.Duration
	tracer      *trace.Tracer             // nil: nothing is traced
	outstanding atomic.Int64              // bytes
	fault       atomic.Pointer[postFault] // of the last records; nil: they were taken

	closing sync.RWMutex // held for reading while records are handed over
	closed  bool
}

// NewPublisher returns a publisher that gives a record up, as far as the caller
// is concerned, after patience.
func (c *Cluster) NewPublisher(patience time.Duration) (*Publisher, error) {
	producer, err := c.config.newProducer("tipoff-api", patience, kgo.RecordRetries(publishRetries))
	if err != nil {
		return nil, fmt.Errorf("connect a producer: %w", err)
	}
	return &Publisher{producer: producer, patience: patience, tracer: c.tracer}, nil
}

// batch is the records of one Publish call under way.
type batch struct {
	open   atomic.Int64 // records not settled, and one for the caller handing over
	failed atomic.Pointer[error]
	done   chan struct{}
}

func (b *batch) settle() {
	if b.open.Add(-1) == 0 {
		close(b.done)
	}
}

// settle is called when the fate of a record of the batch is known, or given up.
func (p *Publisher) settle(b *batch, record *kgo.Record, err error) {
	p.outstanding.Add(-size(record))
	err = kafkaFault(err)
	p.noted(err)
	if err != nil {
		b.failed.CompareAndSwap(nil, &err)
	}
	b.settle()
}

func size(r *kgo.Record) int64 {
	n := len(r.Key) + len(r.Value) + recordOverhead
	for _, h := range r.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return int64(n)
}

// RecordHeaders are the headers as sarama writes them.
func RecordHeaders(h topics.Headers) (headers []sarama.RecordHeader) {
	for name, value := range h.All() {
		headers = append(headers, sarama.RecordHeader{Key: []byte(name), Value: value})
	}
	return headers
}

// HeadersOf visits the headers of a record that was read.
func HeadersOf(m *sarama.ConsumerMessage) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, h := range m.Headers {
			if !yield(string(h.Key), h.Value) {
				return
			}
		}
	}
}

// Publish returns nil once the broker has every record on all its in-sync
// replicas. It wraps [tipoff.ErrBusy] when too much waits already: then none was
// sent. It wraps [tipoff.ErrUnavailable] when the broker failed or did not answer
// in time: then each record may or may not be stored.
//
// Where ctx is that of a span it is traced, and so is what follows from the records.
func (p *Publisher) Publish(ctx context.Context, records []topics.Record) error {
	if len(records) == 0 {
		return nil
	}
	span := p.tracer.Send(ctx, records[0].Topic, len(records))
	defer span.End()
	err := p.publish(ctx, records, span.Traceparent())
	switch {
	case errors.Is(err, tipoff.ErrBusy):
		span.Fail("busy")
	case err != nil:
		span.Fail("unavailable")
	}
	return err
}

func (p *Publisher) publish(ctx context.Context, records []topics.Record, traceparent string) error {
	messages := make([]kgo.Record, len(records))
	b := &batch{done: make(chan struct{})}
	b.open.Store(1)
	total := int64(0)
	for i, r := range records {
		messages[i] = kgo.Record{Topic: r.Topic, Key: []byte(r.Key), Value: r.Value}
		messages[i].Headers = make([]kgo.RecordHeader, 0, 2)
		for name, value := range (topics.Headers{Received: r.Received, Origin: r.Origin, Events: r.Events, Trace: traceparent}).All() {
			messages[i].Headers = append(messages[i].Headers, kgo.RecordHeader{Key: name, Value: value})
		}
		total += size(&messages[i])
	}
	most := int64(maxOutstanding)
	if total > largePublish {
		most -= maxOutstanding / 4
	}
	if p.outstanding.Add(total) > most {
		p.outstanding.Add(-total)
		return fmt.Errorf("publish %d records: %w", len(records), tipoff.ErrBusy)
	}
	timer := time.NewTimer(p.patience)
	defer timer.Stop()
	if err := p.hand(b, messages); err != nil {
		return err
	}
	select {
	case <-b.done:
	case <-timer.C:
		err := errors.New("the broker did not answer in time")
		p.noted(err)
		return tipoff.Unavailable("publish", err)
	case <-ctx.Done():
		return tipoff.Unavailable("publish", ctx.Err())
	}
	if err := b.failed.Load(); err != nil {
		return tipoff.Unavailable("publish", *err)
	}
	return nil
}

// hand gives the messages to the producer.
func (p *Publisher) hand(b *batch, messages []kgo.Record) error {
	p.closing.RLock()
	defer p.closing.RUnlock()
	defer b.settle()
	if p.closed {
		for i := range messages {
			p.outstanding.Add(-size(&messages[i]))
		}
		return tipoff.Unavailable("publish", errors.New("this process is shutting down"))
	}
	b.open.Add(int64(len(messages)))
	settle := func(r *kgo.Record, err error) { p.settle(b, r, err) }
	for i := range messages {
		p.producer.TryProduce(context.Background(), &messages[i], settle)
	}
	return nil
}

// Outstanding is how many bytes wait for the broker.
func (p *Publisher) Outstanding() int64 { return p.outstanding.Load() }

// Close refuses what comes and waits until all that was handed over is settled.
func (p *Publisher) Close() error {
	p.closing.Lock()
	p.closed = true
	p.closing.Unlock()
	return closeProducer(p.producer)
}
