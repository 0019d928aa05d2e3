package node

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"tipoff/trace"
)

// Bounds of what waits for the collector of traces. Spans that find the queue full are
// dropped: nothing that is traced ever waits.
const (
	spansWaiting   = 2048
	spansABatch    = 512
	sendSpansAfter = 2 * time.Second  // at the latest
	spansPatience  = 10 * time.Second // for a batch, tried again meanwhile
	lastSpans      = time.Second      // at the end of the process
)

// tracesPath is where a collector takes traces, below the endpoint.
const tracesPath = "/v1/traces"

// startTracing prepares the tracer, where the settings name a collector.
func (n *Node) startTracing() error {
	s := &n.settings.Tracing
	if s.TraceEndpoint == "" {
		return nil
	}
	sampler, err := trace.NewSampler(s.TraceSampler, s.TraceShare)
	if err != nil {
		return err
	}
	target, err := s.target()
	if err != nil {
		return err
	}
	headers, err := s.headers()
	if err != nil {
		return err
	}
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(target), otlptracehttp.WithHeaders(headers),
		otlptracehttp.WithTimeout(spansPatience), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: time.Second, MaxInterval: spansPatience / 2, MaxElapsedTime: spansPatience,
		}))
	if err != nil {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithFromEnv(), resource.WithAttributes(
		semconv.ServiceName(s.TraceService), semconv.ServiceVersion(ThisVersion().Version)))
	if err != nil {
		return fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithResource(about), sdktrace.WithIDGenerator(trace.IDs{}),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), // the tracer has sampled before
		sdktrace.WithBatcher(n.reportTo(exporter), sdktrace.WithMaxQueueSize(spansWaiting), sdktrace.WithMaxExportBatchSize(spansABatch),
			sdktrace.WithBatchTimeout(sendSpansAfter), sdktrace.WithExportTimeout(spansPatience)))
	n.tracer = trace.New(provider, sampler)
	n.onEnd("traces", func() error {
		ending, cancel := context.WithTimeout(ctx, lastSpans)
		defer cancel()
		if err := provider.Shutdown(ending); err != nil { // a collector that is away must not keep the process
			n.log.Warn("the last traces are not sent", "part", "traces", "error", err)
			_ = exporter.Shutdown(ending) // lets go of the batch under way
		}
		return nil
	})
	n.log.Info("requests are traced", "sampler", s.TraceSampler, "service", s.TraceService)
	return nil
}

// tracedSpans is an exporter whose errors are counted and logged, and go no further.
type tracedSpans struct {
	sdktrace.SpanExporter
	node         *Node
	sent, failed prometheus.Counter
}

// reportTo counts what an exporter sends, and keeps its errors, which else would go to
// the standard error each time.
func (n *Node) reportTo(exporter sdktrace.SpanExporter) sdktrace.SpanExporter {
	spans := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tipoff_trace_spans_total",
		Help: "Spans that the collector of traces was sent, by outcome: sent; failed, as it did not take them.",
	}, []string{"outcome"})
	n.registry.MustRegister(spans)
	return &tracedSpans{exporter, n, spans.WithLabelValues("sent"), spans.WithLabelValues("failed")}
}

// maxFault bounds what is logged of an error, in bytes: it may quote the collector.
const maxFault = 500

// ExportSpans never fails.
func (t *tracedSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := t.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		t.sent.Add(float64(len(spans)))
		return nil
	}
	t.failed.Add(float64(len(spans)))
	fault := err.Error()
	t.node.log.Warn("traces cannot be sent and are dropped: see OTEL_EXPORTER_OTLP_ENDPOINT", "part", "traces", "spans", len(spans), "error", fault[:min(len(fault), maxFault)])
	return nil
}

// target is where traces are posted.
func (t *Tracing) target() (string, error) {
	endpoint, err := url.Parse(t.TraceEndpoint)
	if err != nil || endpoint.Host == "" || !slices.Contains([]string{"http", "https"}, endpoint.Scheme) {
		return "", fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: must be the URL of a collector that takes OTLP over HTTP, as http://collector:4318")
	}
	return endpoint.JoinPath(tracesPath).String(), nil
}

// headers go with each batch: name=value, separated by commas, values percent-encoded.
func (t *Tracing) headers() (map[string]string, error) {
	headers := map[string]string{}
	for _, one := range strings.Split(t.TraceHeaders, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		name, value, found := strings.Cut(one, "=")
		text, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !found || name == "" || err != nil { // the value may be a key: it is not quoted
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS: must be name=value pairs separated by commas, values percent-encoded")
		}
		headers[name] = text
	}
	return headers, nil
}
