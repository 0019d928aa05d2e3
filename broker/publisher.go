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

// errLate is what becomes of records whose fate is not known when patience ends.
var errLate = errors.New("the broker did not answer in time")

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

// batch is the records of one Publish call under way. It is used again once all of them are
// acknowledged; one that has failed, or was given up, may still be written by the client.
type batch struct {
	publisher *Publisher
	records   []kgo.Record
	headers   []kgo.RecordHeader // of all records
	bytes     []byte             // of all keys and headers
	settled   func(*kgo.Record, error)

	open   atomic.Int64 // records not settled, and one for the caller handing over
	failed atomic.Pointer[error]
	done   chan struct{} // is sent to when open is 0
	timer  *time.Timer
}

// batches are used again, each by one Publish call at a time.
var batches = sync.Pool{New: func() any {
	b := &batch{done: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	b.settled = b.settle
	return b
}}

// A batch that is used again has at most so many records, and so many bytes of keys and headers.
const keptRecords, keptBytes = 1024, 256 << 10

// release gives a batch back of which every record is acknowledged.
func (b *batch) release() {
	if cap(b.records) > keptRecords || cap(b.bytes) > keptBytes {
		return
	}
	clear(b.records)
	clear(b.headers)
	b.publisher, b.records, b.headers, b.bytes = nil, b.records[:0], b.headers[:0], b.bytes[:0]
	batches.Put(b)
}

// add adds a record, and returns its size.
func (b *batch) add(r *topics.Record, traceparent string) int64 {
	first := len(b.headers)
	headers := topics.Headers{Received: r.Received, Origin: r.Origin, Events: r.Events, Trace: traceparent}
	for name, value := range headers.AllIn(&b.bytes) {
		b.headers = append(b.headers, kgo.RecordHeader{Key: name, Value: value})
	}
	b.bytes = append(b.bytes, r.Key...)
	record := kgo.Record{Topic: r.Topic, Key: b.bytes[len(b.bytes)-len(r.Key):], Value: r.Value, Headers: b.headers[first:len(b.headers):len(b.headers)]}
	b.records = append(b.records, record)
	return size(&record)
}

// settle is called when the fate of a record of the batch is known, or given up.
func (b *batch) settle(record *kgo.Record, err error) {
	b.publisher.outstanding.Add(-size(record))
	err = kafkaFault(err)
	b.publisher.noted(err)
	if err != nil {
		first := err // in memory of its own only where there is an error
		b.failed.CompareAndSwap(nil, &first)
	}
	b.settleOne()
}

func (b *batch) settleOne() {
	if b.open.Add(-1) == 0 {
		b.done <- struct{}{}
	}
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
	b := batches.Get().(*batch)
	b.publisher = p
	b.open.Store(1)
	total := int64(0)
	for i := range records {
		total += b.add(&records[i], traceparent)
	}
	most := int64(maxOutstanding)
	if total > largePublish {
		most -= maxOutstanding / 4
	}
	if p.outstanding.Add(total) > most {
		p.outstanding.Add(-total)
		b.release()
		return fmt.Errorf("publish %d records: %w", len(records), tipoff.ErrBusy)
	}
	if err := p.hand(b); err != nil {
		p.outstanding.Add(-total)
		return err
	}
	if err := b.wait(ctx, p.patience); err != nil {
		if errors.Is(err, errLate) {
			p.noted(err)
		}
		return tipoff.Unavailable("publish", err)
	}
	if err := b.failed.Load(); err != nil {
		return tipoff.Unavailable("publish", *err)
	}
	b.release()
	return nil
}

// hand gives the batch to the producer.
func (p *Publisher) hand(b *batch) error {
	p.closing.RLock()
	defer p.closing.RUnlock()
	if p.closed {
		return tipoff.Unavailable("publish", errors.New("this process is shutting down"))
	}
	b.open.Add(int64(len(b.records)))
	for i := range b.records {
		p.producer.TryProduce(context.Background(), &b.records[i], b.settled)
	}
	b.settleOne()
	return nil
}

// wait returns nil when every record is settled.
func (b *batch) wait(ctx context.Context, patience time.Duration) error {
	b.timer.Reset(patience)
	defer b.timer.Stop()
	select {
	case <-b.done:
		return nil
	case <-b.timer.C:
		return errLate
	case <-ctx.Done():
		return ctx.Err()
	}
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
