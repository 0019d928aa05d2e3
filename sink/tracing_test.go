package sink

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"tipoff/topics"
	"tipoff/trace"
)

// TestSink_ARecordThatIsTracedHasASpanUntilItsRowStands, of a batch in which others have none,
// and one that is refused says so.
func TestSink_ARecordThatIsTracedHasASpanUntilItsRowStands(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		refuse(t, db)
		users := newLog(topics.Users, "u")
		for i := range 4 {
			users.add(user(fmt.Sprint("u", i), []string{"A", refused}[i/3]))
			m := users.records[i]
			m.Timestamp = time.Now()
			m.Headers = []*sarama.RecordHeader{{Key: []byte(topics.HeaderReceived), Value: topics.FormatReceived(m.Timestamp)}}
			if i > 0 {
				parent := fmt.Sprintf("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333%d-0%d", i, i%2)
				m.Headers = append(m.Headers, &sarama.RecordHeader{Key: []byte(topics.HeaderTrace), Value: []byte(parent)})
			}
		}
		sampler, err := trace.NewSampler("always_off", 0) // of requests: records are traced if they say so
		if err != nil {
			t.Fatal(err)
		}
		recorder := tracetest.NewSpanRecorder()
		s := start(t, db)
		s.Tracer = trace.New(sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(trace.IDs{}), sdktrace.WithSpanProcessor(recorder)), sampler)
		s.mirror(users)()
		want(t, db, "SELECT user_id FROM users ORDER BY user_id", "u0", "u1", "u2")
		got := []string{}
		for _, span := range recorder.Ended() {
			got = append(got, fmt.Sprint(span.Name(), " ", span.Parent().SpanID(), " ", span.Status().Code))
		}
		slices.Sort(got)
		if !slices.Equal(got, []string{"process user_topic b7ad6b7169203331 Unset", "process user_topic b7ad6b7169203333 Error"}) {
			t.Errorf("spans %q", got)
		}
	})
}
