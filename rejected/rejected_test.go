package rejected

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"
	"github.com/twmb/franz-go/pkg/kfake"

	"tipoff"
	"tipoff/broker"
	"tipoff/topics"
)

// embeddedCluster is an embedded broker with our topics.
func embeddedCluster(t *testing.T) *broker.Cluster {
	t.Helper()
	e, err := broker.OpenEmbedded(t.Context(), t.TempDir(), false, broker.TableValues{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return connected(t, e.Config())
}

// kafkaCluster is a Kafka outside with our topics.
func kafkaCluster(t *testing.T) (*kfake.Cluster, *broker.Cluster) {
	t.Helper()
	k, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k, connected(t, broker.Config{Brokers: k.ListenAddrs()})
}

func connected(t *testing.T, config broker.Config) *broker.Cluster {
	t.Helper()
	c, err := broker.Connect(t.Context(), config, broker.Layout{Partitions: 8, Retention: 720 * time.Hour},
		slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// refuse puts rejections on their topic.
func refuse(t *testing.T, c *broker.Cluster, list ...topics.Rejection) {
	t.Helper()
	var records []topics.Record
	for _, r := range list {
		value, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, topics.Record{Topic: topics.Rejected, Key: r.ID(), Value: value, Received: time.Now()})
	}
	publish(t, c, records...)
}

func publish(t *testing.T, c *broker.Cluster, records ...topics.Record) {
	t.Helper()
	p, err := c.NewPublisher(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Publish(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

var receivedLongAgo = time.Date(2024, 5, 17, 12, 0, 0, 123000, time.UTC)

func refused(offset int64, topic, key, value, reason string) topics.Rejection {
	return topics.Rejection{Reason: reason, By: "tipoff-bettors", Topic: topic, Partition: 1, Offset: offset, Key: key, Value: []byte(value), Received: receivedLongAgo}
}

// on are the records of a topic, as key=value.
func on(t *testing.T, c *broker.Cluster, topic string) string {
	t.Helper()
	var found []string
	if err := c.Read(t.Context(), topic, func(s broker.Stored) error {
		found = append(found, fmt.Sprintf("%s=%.20s", s.Key, s.Value))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(found, " ")
}

func listed(t *testing.T, c *broker.Cluster, l Listing) string {
	t.Helper()
	var out bytes.Buffer
	l.Limit = max(1, l.Limit)
	if err := List(t.Context(), c, l, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func retried(t *testing.T, c *broker.Cluster, which Selected) string {
	t.Helper()
	var out bytes.Buffer
	if err := Retry(t.Context(), c, which, false, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRetry_PublishesEachRecordOnceAgain(t *testing.T) {
	t.Parallel()
	c := embeddedCluster(t)
	bet := refused(1, topics.Coupons, "default/u1", "bet", "made the processor panic: boom")
	refuse(t, c, bet, bet, // delivered twice
		refused(2, topics.Selections, "default/e1", "\x01\xff\x00", "not a message to a fixture"),
		refused(3, topics.Users, "default/u2", strings.Repeat("x", topics.MaxRejectedValue), "is not valid JSON"),
		refused(4, "somewhere-else", "default/u2", "x", "is not valid JSON"),
		refused(5, topics.TableBettors, "default/u2", "x", "is not valid JSON"),
	)
	publish(t, c, topics.Record{Topic: topics.Rejected, Key: "k", Value: []byte("no rejection"), Received: time.Now()})

	var dry bytes.Buffer
	if err := Retry(t.Context(), c, Selected{}, true, &dry, io.Discard); err != nil || !strings.Contains(dry.String(), "1 would be published again") || on(t, c, topics.Coupons) != "" {
		t.Errorf("dry run: %s, %v", dry.String(), err)
	}
	if got := retried(t, c, Selected{Reason: "a message"}); !strings.Contains(got, "0 published again") {
		t.Errorf("by reason: %s", got)
	}
	if got := on(t, c, topics.Selections); got != "" {
		t.Errorf("selections, which only a rebuild fills again: %q", got)
	}
	if got := on(t, c, topics.Coupons); got != "" {
		t.Errorf("coupons although another reason was asked for: %q", got)
	}
	for _, want := range []string{"1 published again\n       1  to coupon_topic", "0 published again"} {
		got := retried(t, c, Selected{})
		for _, part := range []string{want, "1  cannot be: its value was cut at 262144 bytes", "it came from somewhere-else", "it came from tipoff-bettors-table"} {
			if !strings.Contains(got, part) {
				t.Errorf("%s\nwant in it %q", got, part)
			}
		}
		if got := on(t, c, topics.Coupons); got != "default/u1=bet" {
			t.Errorf("coupons: %q", got)
		}
	}
	refuse(t, c, bet) // refused again, from the same position: it is open again
	if got := retried(t, c, Selected{ID: []string{bet.ID()}}); !strings.Contains(got, "1 published again") {
		t.Errorf("by id: %s", got)
	}
}

func TestRetry_KeepsTheTimeOfReceipt(t *testing.T) {
	t.Parallel()
	c := embeddedCluster(t)
	without := refused(2, topics.Users, "default/u2", "x", "r")
	without.Received = time.Time{}
	refuse(t, c, refused(1, topics.Users, "default/u1", "x", "r"), without)
	before := time.Now().Add(-time.Minute)
	retried(t, c, Selected{})
	config, err := c.Sarama("test")
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := sarama.NewConsumer(c.Brokers(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	seen := map[string]time.Time{}
	for p := range int32(8) {
		messages, err := consumer.ConsumePartition(topics.Users, p, sarama.OffsetOldest)
		if err != nil {
			t.Fatal(err)
		}
		for range messages.HighWaterMarkOffset() {
			m := <-messages.Messages()
			if seen[string(m.Key)], err = topics.ParseReceived(m.Headers[0].Value); err != nil {
				t.Error(err)
			}
		}
		_ = messages.Close()
	}
	if !seen["default/u1"].Equal(receivedLongAgo) {
		t.Errorf("u1 was received at %v, want %v", seen["default/u1"], receivedLongAgo)
	}
	if seen["default/u2"].Before(before) {
		t.Errorf("u2, whose receipt is not known, was received at %v", seen["default/u2"])
	}
}

func TestRetry_OfOneThatCannotBePublishedNotesNothing(t *testing.T) {
	t.Parallel()
	c := embeddedCluster(t)
	refuse(t, c, refused(1, topics.Users, "default/u1", "x", "r"))
	p, err := c.NewPublisher(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Close()
	if err := newRetrying(p, false).run(t.Context(), c, Selected{}, func(int) {}); !errors.Is(err, tipoff.ErrUnavailable) {
		t.Errorf("published by a closed publisher: %v", err)
	}
	if got := listed(t, c, Listing{}); !strings.Contains(got, "1 rejected") {
		t.Errorf("listed: %s", got)
	}
}

func TestList_SelectsSortsAndCounts(t *testing.T) {
	t.Parallel()
	c := embeddedCluster(t)
	var list []topics.Rejection
	for i := range int64(30) {
		topic, reason := topics.Users, "stake: is required"
		if i%3 == 0 {
			topic, reason = topics.Coupons, "is not valid JSON: \x1b[2J\" at byte 3"
		}
		list = append(list, refused(i, topic, "default/u", "value", reason))
	}
	refuse(t, c, list...)
	refuse(t, c, refused(99, topics.Users, "default/u", "last", "country: is required"))
	got := listed(t, c, Listing{Limit: 5})
	for _, part := range []string{"tipoff-bettors/user_topic/1/99    default/u  country: is required\n\n31 rejected, the newest 5 are listed\n", "\n      20  stake: is required\n      10  is not valid JSON: \\x1b[2J\" at byte 3\n       1  country"} {
		if !strings.Contains(got, part) {
			t.Errorf("%s\nwant in it %q", got, part)
		}
	}
	if rows := strings.Count(got, "Z  tipoff-bettors/"); rows != 5 {
		t.Errorf("%d rows:\n%s", rows, got)
	}
	if got := listed(t, c, Listing{Selected: Selected{Topic: topics.Coupons}}); !strings.Contains(got, "10 rejected") {
		t.Errorf("by topic: %s", got)
	}
	if got := listed(t, c, Listing{Selected: Selected{Reason: "stake"}}); !strings.Contains(got, "20 rejected") {
		t.Errorf("by reason: %s", got)
	}
	if got := listed(t, c, Listing{Selected: Selected{Since: time.Nanosecond}}); !strings.Contains(got, "0 rejected") {
		t.Errorf("since now: %s", got)
	}
	if got := listed(t, c, Listing{Selected: Selected{Since: time.Hour}}); !strings.Contains(got, "31 rejected") {
		t.Errorf("since an hour: %s", got)
	}
	lines := strings.Split(strings.TrimSpace(listed(t, c, Listing{JSON: true, Limit: 2})), "\n")
	var last rejection
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || len(lines) != 2 || last.ID != "tipoff-bettors/user_topic/1/99" || string(last.Value) != "last" {
		t.Errorf("as JSON: %q, %v", lines, err)
	}
}

func TestList_PagesBackToTheOldest(t *testing.T) {
	t.Parallel()
	c := embeddedCluster(t)
	var list []topics.Rejection
	for i := range int64(11) {
		list = append(list, refused(i, topics.Users, fmt.Sprint("default/u", i), "value", "r"))
	}
	refuse(t, c, list...)
	seen, before, pages := map[string]bool{}, "", 0
	for more := true; more; pages++ {
		got := listed(t, c, Listing{Limit: 4, Before: before})
		if !strings.Contains(got, "11 rejected, ") {
			t.Errorf("page %d: %s", pages, got)
		}
		for _, line := range strings.Split(got, "\n") {
			if fields := strings.Fields(line); len(fields) == 4 && strings.HasPrefix(fields[1], "tipoff-bettors/") {
				if seen[fields[1]] {
					t.Errorf("%s is on two pages", fields[1])
				}
				seen[fields[1]] = true
			}
		}
		_, rest, found := strings.Cut(got, "older ones: --before ")
		before, _, _ = strings.Cut(rest, "\n")
		more = found
	}
	if len(seen) != 11 || pages != 3 {
		t.Errorf("%d rejections on %d pages", len(seen), pages)
	}
	if err := List(t.Context(), c, Listing{Limit: 4, Before: "none"}, io.Discard); err == nil || !strings.Contains(err.Error(), "begin again") {
		t.Errorf("before one that is not there: %v", err)
	}
}
