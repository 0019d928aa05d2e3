package node_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/twmb/franz-go/pkg/kfake"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"tipoff"
	"tipoff/blackbox"
	"tipoff/broker"
	"tipoff/node"
	"tipoff/topics"
)

// receiver takes traces as a collector does.
type receiver struct {
	*testing.T
	url   string
	mu    sync.Mutex
	spans map[string][]receivedSpan // by trace
}

// receivedSpan is what tests look at of a span.
type receivedSpan struct{ id, parent, service, said string }

// spanParent is the span of a client.
const spanParent = "b7ad6b7169203331"

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{T: t, spans: map[string][]receivedSpan{}}
	server := httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *receiver) take(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	batch := new(collector.ExportTraceServiceRequest)
	if err == nil {
		err = proto.Unmarshal(body, batch)
	}
	if err != nil || q.Method != http.MethodPost || q.URL.Path != "/v1/traces" || q.Header.Get("X-Token") != "a b" {
		r.Errorf("%s %s, headers %v: %v", q.Method, q.URL, q.Header, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, from := range batch.ResourceSpans {
		service := ""
		for _, a := range from.Resource.Attributes {
			if a.Key == "service.name" {
				service = a.Value.GetStringValue()
			}
		}
		for _, scope := range from.ScopeSpans {
			for _, s := range scope.Spans {
				said := s.Name
				for _, a := range s.Attributes {
					if a.Key == "messaging.consumer.group.name" {
						said += " by " + a.Value.GetStringValue()
					}
				}
				trace := hex.EncodeToString(s.TraceId)
				r.spans[trace] = append(r.spans[trace], receivedSpan{hex.EncodeToString(s.SpanId), hex.EncodeToString(s.ParentSpanId), service, said})
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// tree writes the spans of a trace below the client's, each indented below its parent, and
// says how many have another one.
func (r *receiver) tree(trace string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines, placed := []string{}, 0
	var below func(parent, indent string)
	below = func(parent, indent string) {
		children := slices.DeleteFunc(slices.Clone(r.spans[trace]), func(s receivedSpan) bool { return s.parent != parent })
		slices.SortFunc(children, func(a, b receivedSpan) int { return strings.Compare(a.said, b.said) })
		for _, s := range children {
			placed++
			lines = append(lines, indent+s.service+": "+s.said)
			below(s.id, indent+"  ")
		}
	}
	below(spanParent, "")
	if others := len(r.spans[trace]) - placed; others > 0 {
		lines = append(lines, fmt.Sprintf("%d spans with other parents", others))
	}
	return strings.Join(lines, "\n")
}

// want waits until the trace is as wanted.
func (r *receiver) want(s *blackbox.Service, trace, wanted string) {
	r.Helper()
	s.Eventually(func() error {
		if got := r.tree(trace); got != strings.TrimSpace(wanted) {
			return fmt.Errorf("trace %s is\n%s\nwant\n%s", trace, got, strings.TrimSpace(wanted))
		}
		return nil
	})
}

// traced are settings of a process that sends its traces to a collector.
func traced(t *testing.T, collector string) *node.Settings {
	t.Helper()
	s := blackbox.Settings(t.TempDir())
	s.TraceEndpoint, s.TraceHeaders, s.TraceService = collector, "x-token=a%20b", "tipoff"
	s.TraceSampler, s.TraceShare = "parentbased_always_off", 0
	return s
}

// postTraced posts a value as a client does that traces, and returns the trace.
func postTraced(s *blackbox.Service, path string, number int, flags string, value any) (trace string) {
	s.Helper()
	body, err := json.Marshal(value)
	if err != nil {
		s.Fatal(err)
	}
	trace = fmt.Sprintf("0af7651916cd43dd8448eb211c80%04x", number)
	if status, answer, _ := s.Send("POST", path, string(body), "traceparent", "00-"+trace+"-"+spanParent+"-"+flags); status != 202 {
		s.Fatalf("POST %s: %d %s", path, status, answer)
	}
	return trace
}

// wayOfACoupon is the trace of a coupon whose event the gateway knows.
const wayOfACoupon = `
gateway: POST /v1/coupons
  gateway: send coupon_topic
    processors: process coupon_topic by tipoff-bettors
      gateway: process tipoff-bettors-table
      learner: process tipoff-choices by tipoff-learner
        gateway: process tipoff-learner-table
      processors: process tipoff-selections by tipoff-fixtures
        gateway: process tipoff-fixtures-table
    sink: process coupon_topic by tipoff-sink
`

// wayOfAnEvent is the trace of an event that a leg has waited for.
const wayOfAnEvent = `
gateway: POST /v1/events
  gateway: send event_topic
    processors: process event_topic by tipoff-fixtures
      processors: process tipoff-fixtures-loop by tipoff-fixtures
        gateway: process tipoff-fixtures-table
        processors: process tipoff-resolved by tipoff-bettors
          gateway: process tipoff-bettors-table
      gateway: process tipoff-fixtures-table
    sink: process event_topic by tipoff-sink
`

// post posts a coupon and an event that are traced, and a coupon that is not, and returns
// the traces of each.
func postWays(s *blackbox.Service, c *broker.Cluster) (coupon, event, passed string) {
	s.Helper()
	s.Post("/v1/events", 202, s.Event("known", "A"))
	s.WantRecommended("u", "known")
	coupon = postTraced(s, "/v1/coupons", 1, "01", s.Coupon("c1", "u", "known"))
	passed = postTraced(s, "/v1/coupons", 2, "00", s.Coupon("c2", "u", "late"))
	s.WantBets("u", 1)
	s.Eventually(func() error { // the event is to find the bet that waits for it
		if _, waits := blackbox.ReadTables(s.T, c, topics.TableSet{}).Fixtures[topics.Key(tipoff.DefaultCompany, s.ID("late"))]; !waits {
			return errors.New("no bet waits for the event")
		}
		return nil
	})
	event = postTraced(s, "/v1/events", 3, "01", s.Event("late", "A"))
	s.WantBets("u", 2)
	return coupon, event, passed
}

func TestTracing_FollowsACouponFromPostToViewAndRowAcrossProcesses(t *testing.T) {
	t.Parallel()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	r := newReceiver(t)
	var gateway *blackbox.Node
	for _, one := range []struct {
		service string
		role    node.Role
	}{{"processors", node.Processors}, {"sink", node.Sink}, {"learner", node.Learner}, {"gateway", node.API}} {
		settings := traced(t, r.url)
		settings.Brokers, settings.TraceService = kafka.ListenAddrs()[0], one.service
		gateway = blackbox.Start(t, settings, one.role)
	}
	s := &blackbox.Service{T: t, URL: gateway.URL(), Prefix: "t"}
	coupon, event, passed := postWays(s, gateway.Cluster())
	r.want(s, coupon, wayOfACoupon)
	r.want(s, event, wayOfAnEvent)
	if got := r.tree(passed); got != "" {
		t.Errorf("a coupon whose client traces it not has\n%s", got)
	}
	_, page, _ := s.Send("GET", "/metrics", "")
	if !strings.Contains(page, `tipoff_trace_spans_total{outcome="failed"} 0`) || strings.Contains(page, `tipoff_trace_spans_total{outcome="sent"} 0`) {
		t.Error("the gateway does not count what it has sent")
	}
}

func TestTracing_FollowsACouponWithinOneProcess(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	n := blackbox.Start(t, traced(t, r.url))
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "t"}
	coupon, event, _ := postWays(s, n.Cluster())
	for trace, way := range map[string]string{coupon: wayOfACoupon, event: wayOfAnEvent} {
		for _, service := range []string{"gateway", "processors", "learner", "sink"} {
			way = strings.ReplaceAll(way, service+": ", "tipoff: ")
		}
		r.want(s, trace, way)
	}
}

// TestTracing_SamplesRequestsWithoutATraceparent: those of whoever runs the process are
// none of them.
func TestTracing_SamplesRequestsWithoutATraceparent(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	settings := traced(t, r.url)
	settings.TraceSampler, settings.TraceShare = "parentbased_traceidratio", 1
	n := blackbox.Start(t, settings)
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "t"}
	for _, path := range []string{"/healthz", "/metrics", "/hello", "/v1/recommendations?user_id=u"} {
		s.Send("GET", path, "")
	}
	n.End() // what waits is sent
	r.mu.Lock()
	defer r.mu.Unlock()
	for trace, spans := range r.spans {
		if len(spans) != 1 || spans[0].said != "GET /v1/recommendations" || spans[0].parent != "" {
			t.Errorf("trace %s: %v", trace, spans)
		}
	}
	if len(r.spans) != 1 {
		t.Errorf("%d traces", len(r.spans))
	}
}

// TestTracing_ACollectorThatDoesNotAnswerHoldsUpNothing, not even the end of the process.
func TestTracing_ACollectorThatDoesNotAnswerHoldsUpNothing(t *testing.T) {
	t.Parallel()
	asked, let := make(chan struct{}, 1), make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-let
	}))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(let) })
	n := blackbox.Start(t, traced(t, silent.URL))
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "t"}
	postWays(s, n.Cluster())
	<-asked
	postTraced(s, "/v1/coupons", 4, "01", s.Coupon("c3", "u", "known"))
	s.WantBets("u", 3)
	n.End()
}

// TestTracing_SaysThatACollectorRefuses, once however often it does, and counts the spans.
func TestTracing_SaysThatACollectorRefuses(t *testing.T) {
	t.Parallel()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(refusing.Close)
	settings := traced(t, refusing.URL)
	var logged logs
	settings.Log = settings.Logs.Logger(&logged)
	n := blackbox.Start(t, settings)
	s := &blackbox.Service{T: t, URL: n.URL(), Prefix: "t"}
	for i := range 2 { // two batches
		postTraced(s, "/v1/coupons", i, "01", s.Coupon(fmt.Sprint("c", i), "u", "e"))
		s.Eventually(func() error {
			_, page, _ := s.Send("GET", "/metrics", "")
			_, failed, _ := strings.Cut(page, `tipoff_trace_spans_total{outcome="failed"} `)
			if failed, _, _ = strings.Cut(failed, "\n"); failed == "" || failed <= fmt.Sprint(i*2) {
				return fmt.Errorf("%s spans have failed", failed)
			}
			return nil
		})
	}
	if said := strings.Count(logged.String(), "traces cannot be sent"); said != 1 || !strings.Contains(logged.String(), "403 Forbidden") {
		t.Errorf("said %d times:\n%s", said, logged.String())
	}
}

// logs is what is logged, by several at once.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestTracing_RefusesSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, set := range map[string]func(*node.Settings){
		"OTEL_EXPORTER_OTLP_ENDPOINT: must be the URL": func(s *node.Settings) { s.TraceEndpoint = "collector:4318" },
		"OTEL_EXPORTER_OTLP_HEADERS: must be":          func(s *node.Settings) { s.TraceHeaders = "secret" },
		"OTEL_TRACES_SAMPLER: must be one of":          func(s *node.Settings) { s.TraceSampler = "some" },
		"OTEL_TRACES_SAMPLER_ARG: must be":             func(s *node.Settings) { s.TraceSampler, s.TraceShare = "traceidratio", 2 },
	} {
		settings := traced(t, "http://127.0.0.1:1")
		set(settings)
		settings.Log = slog.New(slog.DiscardHandler)
		if n, err := node.Start(t.Context(), settings, node.AllRoles...); err == nil {
			t.Errorf("%s: is taken: %v", want, n.Stop(nil))
		} else if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v; want %q in it", err, want)
		}
	}
}
