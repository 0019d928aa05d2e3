// Package trace follows single requests and records on their way, from a post to the view
// and the row that it changes, in spans of OpenTelemetry.
//
// What arrives is the W3C traceparent of a request or of a record. What leaves is spans, to
// the provider that the tracer was made with, and the traceparent of each for whatever
// follows from it. Names and attributes are those of OpenTelemetry's conventions for HTTP
// and messaging; none holds what clients posted, an id or a key.
//
// A nil [Tracer] and a nil [Span] do nothing. They are how tracing is off, and how a request
// is passed over: then nothing is allocated.
package trace

import (
	"context"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// youngest says how old a record may be that is still traced. What is read again, as by a
// rebuild, is of traces that ended long ago.
const youngest = time.Hour

// scope is what the spans are recorded by.
const scope = "tipoff/trace"

// Tracer starts spans; nil: tracing is off.
type Tracer struct {
	spans   oteltrace.Tracer
	sampler Sampler
}

// New returns a tracer whose sampler decides which requests are traced. The provider must
// record every span that it is asked for, and number them by [IDs].
func New(provider oteltrace.TracerProvider, sampler Sampler) *Tracer {
	return &Tracer{provider.Tracer(scope), sampler}
}

// Request starts the span of a request, if the request is to be traced. traceparent is
// what its client sent, if anything.
func (t *Tracer) Request(method, route string, traceparent []byte) *Span {
	if t == nil {
		return nil
	}
	parent := parse(traceparent)
	id, isTaken := t.sampler.take(parent)
	if !isTaken {
		return nil
	}
	ctx := context.WithValue(context.Background(), rootKey{}, id)
	if parent.IsValid() {
		ctx = oteltrace.ContextWithRemoteSpanContext(ctx, parent)
	}
	return t.start(ctx, method+" "+route, oteltrace.SpanKindServer,
		semconv.HTTPRequestMethodKey.String(method), semconv.HTTPRoute(route), semconv.URLScheme("http"))
}

// Send starts the span of a publication of records on a topic, if ctx is that of a span.
// The records' traceparent is its own.
func (t *Tracer) Send(ctx context.Context, topic string, records int) *Span {
	if t == nil || !oteltrace.SpanContextFromContext(ctx).IsSampled() {
		return nil
	}
	return t.start(ctx, "send "+topic, oteltrace.SpanKindProducer,
		semconv.MessagingSystemKafka, semconv.MessagingOperationTypeSend, semconv.MessagingOperationName("send"),
		semconv.MessagingDestinationName(topic), semconv.MessagingBatchMessageCount(records))
}

// Read is a record that was read.
type Read struct {
	Topic     string
	Group     string // that reads it; "": a view, which is in none
	Partition int32
	Offset    int64
	Received  time.Time // of the fact behind it, by the gateway
}

// Process starts the span of what is done with a record, if the record's traceparent says
// that it is traced, and it is not so old that it is being read again.
func (t *Tracer) Process(traceparent string, r Read) *Span {
	if t == nil || traceparent == "" {
		return nil
	}
	parent := parse(traceparent)
	if !parent.IsSampled() || time.Since(r.Received) > youngest {
		return nil
	}
	attributes := []attribute.KeyValue{
		semconv.MessagingSystemKafka, semconv.MessagingOperationTypeProcess, semconv.MessagingOperationName("process"),
		semconv.MessagingDestinationName(r.Topic), semconv.MessagingDestinationPartitionID(strconv.Itoa(int(r.Partition))),
		semconv.MessagingKafkaOffsetKey.Int64(r.Offset),
	}
	if r.Group != "" {
		attributes = append(attributes, semconv.MessagingConsumerGroupName(r.Group))
	}
	ctx := oteltrace.ContextWithRemoteSpanContext(context.Background(), parent)
	return t.start(ctx, "process "+r.Topic, oteltrace.SpanKindConsumer, attributes...)
}

func (t *Tracer) start(ctx context.Context, name string, kind oteltrace.SpanKind, attributes ...attribute.KeyValue) *Span {
	_, span := t.spans.Start(ctx, name, oteltrace.WithSpanKind(kind), oteltrace.WithAttributes(attributes...))
	return &Span{span, format(span.SpanContext())}
}

// Span is something that was begun for a request that is traced; nil: it is not.
type Span struct {
	span        oteltrace.Span
	traceparent string
}

// Traceparent is what makes another span a child of this one; "" of nil.
func (s *Span) Traceparent() string {
	if s == nil {
		return ""
	}
	return s.traceparent
}

// TraceID names the trace that the span is part of, in 32 hexadecimal digits; "" of nil.
func (s *Span) TraceID() string {
	if s == nil {
		return ""
	}
	return s.span.SpanContext().TraceID().String()
}

// Context is for [Tracer.Send] of what follows within the process. It never ends.
func (s *Span) Context() context.Context {
	if s == nil {
		return context.Background()
	}
	return oteltrace.ContextWithSpan(context.Background(), s.span)
}

// Fail notes that it did not succeed, and of which kind the reason is: one of few words,
// with nothing of what failed.
func (s *Span) Fail(kind string) {
	if s != nil {
		s.span.SetAttributes(semconv.ErrorTypeKey.String(kind))
		s.span.SetStatus(codes.Error, kind)
	}
}

// End ends the span.
func (s *Span) End() {
	if s != nil {
		s.span.End()
	}
}

// EndRequest ends the span of a request that was answered with the status.
func (s *Span) EndRequest(status int) {
	if s == nil {
		return
	}
	s.span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	if status >= 500 {
		s.Fail(strconv.Itoa(status))
	}
	s.span.End()
}
