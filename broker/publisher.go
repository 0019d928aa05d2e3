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

	"tipoff"
	"tipoff/topics"
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
)

// Publisher sends facts to the broker and waits for all its replicas.
type Publisher struct {
	producer    sarama.AsyncProducer
	patience    time.Duration
	outstanding atomic.Int64              // bytes
	fault       atomic.Pointer[postFault] // of the last records; nil: they were taken
	ending      sync.WaitGroup

	closing sync.RWMutex // held for reading while records are handed over
	closed  bool
}

// NewPublisher returns a publisher that gives a record up, as far as the caller
// is concerned, after patience.
func (c *Cluster) NewPublisher(patience time.Duration) (*Publisher, error) {
	settings, err := c.config.sarama("tipoff-api")
	if err != nil {
		return nil, err
	}
	settings.Producer.Retry.Max = 3
	settings.Producer.Retry.Backoff = 250 * time.Millisecond
	settings.Producer.Timeout = patience
	settings.Net.ReadTimeout = 2 * patience
	producer, err := sarama.NewAsyncProducer(c.config.Brokers, settings)
	if err != nil {
		return nil, fmt.Errorf("connect a producer: %w", err)
	}
	p := &Publisher{producer: producer, patience: patience}
	p.ending.Go(func() {
		for message := range producer.Successes() {
			p.settle(message, nil)
		}
	})
	p.ending.Go(func() {
		for failed := range producer.Errors() {
			p.settle(failed.Msg, failed.Err)
		}
	})
	return p, nil
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

func (p *Publisher) settle(message *sarama.ProducerMessage, err error) {
	p.outstanding.Add(-size(message))
	b := message.Metadata.(*batch)
	p.noted(err)
	if err != nil {
		b.failed.CompareAndSwap(nil, &err)
	}
	b.settle()
}

func size(message *sarama.ProducerMessage) int64 {
	return int64(message.Key.Length() + message.Value.Length() + recordOverhead)
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
func (p *Publisher) Publish(ctx context.Context, records []topics.Record) error {
	messages := make([]*sarama.ProducerMessage, len(records))
	b := &batch{done: make(chan struct{})}
	b.open.Store(1)
	total := int64(0)
	for i, r := range records {
		messages[i] = &sarama.ProducerMessage{
			Topic: r.Topic, Key: sarama.StringEncoder(r.Key), Value: sarama.ByteEncoder(r.Value), Metadata: b,
			Headers: RecordHeaders(topics.Headers{Received: r.Received, Origin: r.Origin}),
		}
		total += size(messages[i])
	}
	most := int64(maxOutstanding)
	if total > largePublish {
		most -= maxOutstanding / 4
	}
	if p.outstanding.Add(total) > most {
		p.outstanding.Add(-total)
		return fmt.Errorf("publish %d records: %w", len(records), tipoff.ErrBusy)
	}
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	if err := p.hand(ctx, b, messages); err != nil {
		return err
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		err := errors.New("the broker did not answer in time")
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			p.noted(err)
		}
		return tipoff.Unavailable("publish", err)
	}
	if err := b.failed.Load(); err != nil {
		return tipoff.Unavailable("publish", *err)
	}
	return nil
}

// hand gives the messages to the producer, whose queue may be full.
func (p *Publisher) hand(ctx context.Context, b *batch, messages []*sarama.ProducerMessage) error {
	p.closing.RLock()
	defer p.closing.RUnlock()
	defer b.settle()
	for i, message := range messages {
		if p.closed {
			p.release(messages[i:])
			return tipoff.Unavailable("publish", errors.New("this process is shutting down"))
		}
		b.open.Add(1)
		select {
		case p.producer.Input() <- message:
		case <-ctx.Done():
			b.open.Add(-1)
			p.release(messages[i:])
			return tipoff.Unavailable("publish", errors.New("the broker does not take records"))
		}
	}
	return nil
}

func (p *Publisher) release(messages []*sarama.ProducerMessage) {
	for _, message := range messages {
		p.outstanding.Add(-size(message))
	}
}

// Outstanding is how many bytes wait for the broker.
func (p *Publisher) Outstanding() int64 { return p.outstanding.Load() }

// Close refuses what comes and waits until all that was handed over is settled.
func (p *Publisher) Close() error {
	p.closing.Lock()
	p.closed = true
	p.closing.Unlock()
	p.producer.AsyncClose()
	p.ending.Wait()
	return nil
}
