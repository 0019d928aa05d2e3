package http

import (
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tipoff"
	"tipoff/trace"
)

// tracing returns a tracer with one of OpenTelemetry's samplers, and what it records.
func tracing(t *testing.T, sampler string) (*trace.Tracer, *tracetest.SpanRecorder) {
	t.Helper()
	s, err := trace.NewSampler(sampler, 0)
	if err != nil {
		t.Fatal(err)
	}
	recorder := tracetest.NewSpanRecorder()
	return trace.New(sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(trace.IDs{}), sdktrace.WithSpanProcessor(recorder)), s), recorder
}

// ended are the spans that have ended, as name and status.
func ended(recorder *tracetest.SpanRecorder) (spans []string) {
	for _, s := range recorder.Ended() {
		spans = append(spans, fmt.Sprint(s.Name(), " ", s.Status().Code))
	}
	return spans
}

func TestTracing_HasASpanForEachRequestThatIsLetIn(t *testing.T) {
	tracer, recorder := tracing(t, "always_on")
	log := new(journal)
	g := start(t, func(o *Options) {
		o.Tracer, o.Key, o.AccessLog = tracer, "secret", slog.New(slog.NewJSONHandler(log, nil))
	})
	key := []string{"X-API-Key", "secret"}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/docs", "/hello", "/nowhere"} {
		g.ask("GET", path, "", key...)
	}
	g.want(g.ask("GET", "/v1/recommendations?user_id=u", ""), 401)
	if got := ended(recorder); len(got) != 0 || strings.Contains(log.String(), `"trace"`) {
		t.Fatalf("spans %q of requests that are not traced; the log:\n%s", got, log)
	}
	g.want(g.ask("GET", "/v1/users/u1", "", key...), 200)
	g.want(g.ask("GET", "/v1/users/u%20", "", key...), 400)
	g.fails = tipoff.Unavailable("publish", fmt.Errorf("no broker"))
	g.want(g.ask("POST", "/v1/coupons", goodCoupon, key...), 503)
	want := "GET /v1/users/{user_id} Unset;GET /v1/users/{user_id} Unset;POST /v1/coupons Error"
	if got := strings.Join(ended(recorder), ";"); got != want {
		t.Errorf("spans %s, want %s", got, want)
	}
	for _, s := range recorder.Ended() {
		if !strings.Contains(log.String(), `"trace":"`+s.SpanContext().TraceID().String()+`"`) {
			t.Errorf("trace %s is not in the access log", s.SpanContext().TraceID())
		}
		for _, a := range s.Attributes() {
			if strings.Contains(a.Value.String(), "u1") || strings.Contains(a.Value.String(), "c1") {
				t.Errorf("%s says %s=%s", s.Name(), a.Key, a.Value.String())
			}
		}
	}
}

// TestTracing_TheFirstGatewayDecidesForTheOneThatAnswers: of a request that is sent on both
// spans are in one trace, or there is none.
func TestTracing_TheFirstGatewayDecidesForTheOneThatAnswers(t *testing.T) {
	for sampler, want := range map[string]int{"always_on": 1, "always_off": 0, "parentbased_always_off": 0} {
		first, asked := tracing(t, sampler)
		second, answered := tracing(t, "parentbased_always_on")
		tracers := []*trace.Tracer{first, second}
		gateways, _ := startFleet(t, [2]int{0, 1}, func(o *Options) {
			o.Tracer, tracers = tracers[0], tracers[1:]
		})
		gateways[0].want(gateways[0].ask("GET", "/v1/recommendations?user_id="+url.QueryEscape(userOf(1)), ""), 200)
		if a, b := len(asked.Ended()), len(answered.Ended()); a != want || b != want {
			t.Errorf("%s: %d spans, and %d of the gateway that answers", sampler, a, b)
		} else if want == 1 && answered.Ended()[0].Parent().SpanID() != asked.Ended()[0].SpanContext().SpanID() {
			t.Errorf("%s: the span of the gateway that answers is no child of the other", sampler)
		}
	}
}
