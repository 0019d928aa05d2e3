package trace

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"
)

const (
	sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	passed  = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

// tracer returns one that records into memory.
func tracer(t *testing.T, sampler string, ratio float64) (*Tracer, *tracetest.SpanRecorder) {
	t.Helper()
	s, err := NewSampler(sampler, ratio)
	if err != nil {
		t.Fatal(err)
	}
	recorder := tracetest.NewSpanRecorder()
	return New(sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithIDGenerator(IDs{}),
		sdktrace.WithSpanProcessor(recorder)), s), recorder
}

func TestTraceparent_IsReadAsItWasWritten(t *testing.T) {
	for _, text := range []string{sampled, passed} {
		if got := format(parse(text)); got != text {
			t.Errorf("%s was read as %s", text, got)
		}
	}
	if got := format(parse(strings.Replace(sampled, "00-", "cc-", 1) + "-of a later version")); got != sampled {
		t.Errorf("one of a later version was read as %s", got)
	}
}

func TestTraceparent_ThatIsNoneSaysNothing(t *testing.T) {
	for _, text := range []string{"", "00", sampled[:54], sampled + "0", sampled + "-more", "ff" + sampled[2:], strings.ToUpper(sampled),
		"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		strings.Replace(sampled, "-", "_", 1), strings.Replace(sampled, "b7ad", "b7gd", 1), "cc" + sampled[2:] + "more"} {
		if got := parse(text); got.IsValid() {
			t.Errorf("%q was read as %s", text, format(got))
		}
	}
}

func FuzzTraceparent(f *testing.F) {
	for _, seed := range []string{sampled, passed, "", "ff", sampled + "-x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c := parse(text)
		if c.IsValid() && !parse(format(c)).Equal(c) {
			t.Errorf("%q is %v, read back %v", text, c, parse(format(c)))
		}
	})
}

func TestSampler_LetsTheParentDecideOrNot(t *testing.T) {
	for _, c := range []struct {
		name        string
		ratio       float64
		parent      string
		wantsTraced bool
	}{
		{"parentbased_traceidratio", 0, sampled, true}, {"parentbased_traceidratio", 1, passed, false}, {"parentbased_traceidratio", 1, "", true},
		{"parentbased_traceidratio", 0, "", false}, {"parentbased_always_off", 1, sampled, true}, {"parentbased_always_off", 1, "", false},
		{"parentbased_always_on", 0, "", true}, {"always_on", 0, passed, true}, {"always_off", 1, sampled, false},
		{"traceidratio", 1, passed, true}, {"traceidratio", 0, sampled, false}, {"traceidratio", 1, "no traceparent", true},
	} {
		tr, recorder := tracer(t, c.name, c.ratio)
		span := tr.Request("GET", "/v1/recommendations", []byte(c.parent))
		span.EndRequest(200)
		if got := span != nil; got != c.wantsTraced || len(recorder.Ended()) != map[bool]int{true: 1}[c.wantsTraced] {
			t.Errorf("%s at %v, parent %q: traced is %t, %d spans", c.name, c.ratio, c.parent, got, len(recorder.Ended()))
		}
		if c.wantsTraced && c.parent != "no traceparent" && c.parent != "" {
			if got := recorder.Ended()[0]; format(got.Parent())[:52] != c.parent[:52] || got.SpanContext().TraceID() != got.Parent().TraceID() {
				t.Errorf("%s: the parent of the span is %s", c.name, format(got.Parent()))
			}
		}
	}
}

// TestSampler_TakesItsShare: of 100,000 requests 1% are 1,000, give or take six standard
// deviations, and what is taken is what another service with the same share takes.
func TestSampler_TakesItsShare(t *testing.T) {
	s, err := NewSampler("parentbased_traceidratio", .01)
	if err != nil {
		t.Fatal(err)
	}
	theirs, taken := sdktrace.TraceIDRatioBased(.01), 0
	for range 100_000 {
		id, isTaken := s.take(oteltrace.SpanContext{})
		decision := theirs.ShouldSample(sdktrace.SamplingParameters{ParentContext: context.Background(), TraceID: id}).Decision
		if isTaken != (decision == sdktrace.RecordAndSample) {
			t.Fatalf("trace %s: taken is %t, another service says %v", id, isTaken, decision)
		}
		if isTaken {
			taken++
		}
	}
	if taken < 1000-190 || taken > 1000+190 {
		t.Errorf("%d of 100,000 are taken", taken)
	}
}

// TestSampler_BoundsWhatClientsAskForUnlessItIsNamed: those that the share takes count for
// nothing.
func TestSampler_BoundsWhatClientsAskForUnlessItIsNamed(t *testing.T) {
	for name, want := range map[string]int{"": maxWished, "parentbased_traceidratio": 100_000, "parentbased_always_off": 100_000} {
		tr, _ := tracer(t, name, 0)
		if got := takenOf(tr, 100_000); got < want || got > want+maxWished*30 { // the clock goes on meanwhile
			t.Errorf("%q takes %d of 100,000 that ask for it, want %d", name, got, want)
		}
	}
	if tr, _ := tracer(t, "", 1); takenOf(tr, 1000) != 1000 {
		t.Error("those that the share takes are bounded")
	}
	now, a := time.Now(), new(allowance)
	for i, c := range []struct {
		after time.Duration
		want  int
	}{{0, maxWished}, {0, 0}, {time.Second / maxWished, 1}, {time.Second, maxWished}, {time.Hour, maxWished}} {
		taken := 0
		for now = now.Add(c.after); a.take(now); {
			taken++
		}
		if taken != c.want {
			t.Errorf("%d: %d are taken, want %d", i, taken, c.want)
		}
	}
}

// takenOf counts how many of n requests are traced that ask for it.
func takenOf(tr *Tracer, n int) (taken int) {
	parent := parse(sampled)
	for range n {
		if _, is := tr.sampler.take(parent); is {
			taken++
		}
	}
	return taken
}

func TestSampler_RefusesWhatItCannotBe(t *testing.T) {
	for _, ratio := range []float64{-.1, 1.1, math.NaN()} {
		if _, err := NewSampler("traceidratio", ratio); err == nil || !strings.Contains(err.Error(), "0 to 1") {
			t.Errorf("%v: %v", ratio, err)
		}
	}
	if _, err := NewSampler("jaeger_remote", 1); err == nil || !strings.Contains(err.Error(), "parentbased_always_on") {
		t.Error(err)
	}
	if len(SamplerNames()) != 6 {
		t.Error(SamplerNames())
	}
}

func TestTracer_FollowsFromARequestToWhatItsRecordsLeadTo(t *testing.T) {
	tr, recorder := tracer(t, "always_on", 0)
	request := tr.Request("POST", "/v1/coupons", nil)
	send := tr.Send(request.Context(), "coupon_topic", 3)
	read := Read{Topic: "coupon_topic", Group: "tipoff-bettors", Partition: 4, Offset: 77, Received: time.Now()}
	process := tr.Process(send.Traceparent(), read)
	process.Fail("invalid")
	for _, span := range []*Span{process, send} {
		span.End()
	}
	request.EndRequest(503)
	spans := recorder.Ended()
	if len(spans) != 3 {
		t.Fatal("spans:", len(spans))
	}
	slices.Reverse(spans)
	for i, want := range []string{
		"POST /v1/coupons server Error http.request.method=POST http.route=/v1/coupons url.scheme=http http.response.status_code=503 error.type=503",
		"send coupon_topic producer Unset messaging.system=kafka messaging.operation.type=send messaging.operation.name=send " +
			"messaging.destination.name=coupon_topic messaging.batch.message_count=3",
		"process coupon_topic consumer Error messaging.system=kafka messaging.operation.type=process messaging.operation.name=process " +
			"messaging.destination.name=coupon_topic messaging.destination.partition.id=4 messaging.kafka.offset=77 " +
			"messaging.consumer.group.name=tipoff-bettors error.type=invalid",
	} {
		got := fmt.Sprintf("%s %s %s", spans[i].Name(), spans[i].SpanKind(), spans[i].Status().Code)
		for _, a := range spans[i].Attributes() {
			got += fmt.Sprintf(" %s=%s", a.Key, a.Value.String())
		}
		if got != want {
			t.Errorf("span %d is\n%s, want\n%s", i, got, want)
		}
		if i > 0 && !spans[i].Parent().Equal(spans[i-1].SpanContext().WithRemote(i == 2)) {
			t.Errorf("span %d is no child of the one before", i)
		}
	}
	if request.TraceID() != spans[2].SpanContext().TraceID().String() {
		t.Error("the request's trace is", request.TraceID())
	}
}

func TestTracer_LeavesAloneWhatIsReadAgain(t *testing.T) {
	tr, recorder := tracer(t, "always_on", 0)
	for _, r := range []Read{{Received: time.Now().Add(-2 * time.Hour)}, {}} {
		tr.Process(sampled, r).End()
	}
	tr.Process(passed, Read{Received: time.Now()}).End()
	tr.Send(t.Context(), "coupon_topic", 1).End()
	if n := len(recorder.Ended()); n != 0 {
		t.Errorf("%d spans", n)
	}
}

// TestTracer_CostsNothingWhereNothingIsTraced: neither without a tracer nor for a request
// that the sampler passes over.
func TestTracer_CostsNothingWhereNothingIsTraced(t *testing.T) {
	passing, _ := tracer(t, "parentbased_always_off", 0)
	for name, tr := range map[string]*Tracer{"off": nil, "unsampled": passing} {
		for _, parent := range [][]byte{nil, []byte(passed), []byte("no traceparent")} {
			allocated := testing.AllocsPerRun(100, func() {
				span := tr.Request("GET", "/v1/recommendations", parent)
				sent := tr.Send(span.Context(), "coupon_topic", 1)
				processed := tr.Process(sent.Traceparent(), Read{Topic: "coupon_topic"})
				processed.Fail("invalid")
				processed.End()
				sent.End()
				span.EndRequest(200)
			})
			if allocated != 0 {
				t.Errorf("%s, parent %q: %v allocations", name, parent, allocated)
			}
		}
	}
}
