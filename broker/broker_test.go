package broker

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"tipoff/topics"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// sarama's metrics library keeps one ticker for the whole process
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"))
}

var (
	silent = slog.New(slog.NewTextHandler(io.Discard, nil))
	layout = Layout{Partitions: 2, Retention: 24 * time.Hour}
)

func fake(t testing.TB, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	k, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func connect(t testing.TB, config Config) *Cluster {
	t.Helper()
	c, err := Connect(t.Context(), config, layout, silent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func publisher(t *testing.T, c *Cluster, patience time.Duration) *Publisher {
	t.Helper()
	p, err := c.NewPublisher(patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// eventually waits for a condition, which says what is wrong until then.
func eventually(t *testing.T, holds func() error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after 30 s: %v", err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func records(n int) []topics.Record {
	list := make([]topics.Record, n)
	for i := range list {
		list[i] = topics.Record{Topic: topics.Users, Key: fmt.Sprintf("default/u%d", i), Value: fmt.Appendf(nil, "%d", i), Received: time.Now()}
	}
	return list
}

func TestEnsureTopics_CreatesThemAsStatedAndAgrees(t *testing.T) {
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	if err := c.EnsureTopics(); err != nil {
		t.Errorf("again: %v", err)
	}
	existing, err := c.admin.ListTopics()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range topics.All() {
		got, ok := existing[want.Name]
		if !ok || int(got.NumPartitions) != cmp.Or(want.Partitions, 2) {
			t.Errorf("%s: %+v", want.Name, got)
		}
		policy := "delete"
		if want.Compacted {
			policy = "compact"
		}
		if set := got.ConfigEntries["cleanup.policy"]; policy == "compact" && (set == nil || *set != policy) {
			t.Errorf("%s: cleanup.policy = %v, want %s", want.Name, set, policy)
		}
		if set := got.ConfigEntries["retention.ms"]; !want.Compacted && (set == nil || *set != "86400000") {
			t.Errorf("%s: retention.ms = %v", want.Name, set)
		}
		for name, lag := range map[string]string{"min.compaction.lag.ms": "86400000", "max.compaction.lag.ms": "108000000", "segment.ms": "21600000"} {
			if set := got.ConfigEntries[name]; isTable(want.Name) && (set == nil || *set != lag) {
				t.Errorf("%s: %s = %v, want %s", want.Name, name, set, lag)
			}
		}
		if c.Source(want.Name) == 0 || c.TopicID(want.Name) == "" {
			t.Errorf("%s has no id", want.Name)
		}
	}
}

func TestEnsureTopics_TakesThePartitionsThatThereAre(t *testing.T) {
	k := fake(t)
	unsaid := layout
	unsaid.Partitions = 0
	for _, unsaid.New = range []int{4, 8} {
		c, err := Connect(t.Context(), Config{Brokers: k.ListenAddrs()}, unsaid, silent)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Partitions(); got != 4 {
			t.Errorf("%d partitions, where %d were for new topics", got, unsaid.New)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if unsaid.New = 3; unsaid.Validate() == nil {
		t.Error("3 partitions are no power of two")
	}
}

func TestEnsureTopics_CreatesNothingBesideTopicsThatItRefuses(t *testing.T) {
	for says, k := range map[string]*kfake.Cluster{
		"coupon_topic: number of partitions is 3, which is no power of two": fake(t, kfake.SeedTopics(3, topics.Coupons)),
		"number of partitions is 2, that of user_topic is 4":                fake(t, kfake.SeedTopics(4, topics.Users), kfake.SeedTopics(2, topics.Coupons)),
		"coupon_topic: retention.ms is":                                     fake(t, kfake.SeedTopics(2, topics.Coupons)),
	} {
		unsaid := layout
		unsaid.Partitions, unsaid.New = 0, 8
		_, err := Connect(t.Context(), Config{Brokers: k.ListenAddrs()}, unsaid, silent)
		var mismatch MismatchError
		if !errors.As(err, &mismatch) || !strings.Contains(err.Error(), says) {
			t.Errorf("err = %v, want %s", err, says)
		}
		if info := k.TopicInfo(topics.Events); info != nil {
			t.Errorf("%s: %s was created beside it", says, topics.Events)
		}
	}
}

func TestEnsureTopics_RefusesAMismatchAndNamesIt(t *testing.T) {
	k := fake(t, kfake.SeedTopics(3, topics.Users))
	other := layout
	_, err := Connect(t.Context(), Config{Brokers: k.ListenAddrs()}, other, silent)
	var mismatch MismatchError
	if !errors.As(err, &mismatch) || !strings.Contains(err.Error(), "user_topic: number of partitions is 3, the settings say 2") ||
		!strings.Contains(err.Error(), "cleanup.policy") || !strings.Contains(err.Error(), "TIPOFF_PARTITIONS") {
		t.Errorf("err = %v", err)
	}
}

func TestConnect_WaitsForTheCluster(t *testing.T) {
	t.Parallel()
	k := fake(t)
	addr := k.ListenAddrs()
	k.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var logged bytes.Buffer
	if _, err := Connect(ctx, Config{Brokers: addr}, layout, slog.New(slog.NewTextHandler(&logged, nil))); err == nil {
		t.Error("connected to a cluster that is down")
	}
	if !strings.Contains(logged.String(), "trying again") || strings.Contains(logged.String(), "WARN") {
		t.Errorf("a cluster that may be starting is logged as %s", &logged)
	}
}

func TestEmbedded_KeepsWhatItAcknowledged(t *testing.T) {
	folder := t.TempDir()
	e, err := OpenEmbedded(t.Context(), folder, false, TableValues{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenEmbedded(t.Context(), folder, false, TableValues{}); err == nil || !strings.Contains(err.Error(), e.Brokers()[0]) {
		t.Errorf("a second owner of the folder: %v", err)
	}
	c, err := Connect(t.Context(), e.Config(), layout, silent)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.NewPublisher(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	source := c.Source(topics.Users)
	if err := errors.Join(p.Publish(t.Context(), records(50)), p.Close(), c.Close(), e.Close()); err != nil {
		t.Fatal(err)
	}
	if e, err = OpenEmbedded(t.Context(), folder, false, TableValues{}); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c, err = Connect(t.Context(), e.Config(), layout, silent)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ends, err := c.ends(t.Context(), topics.Users, sarama.OffsetNewest)
	if err != nil || ends[0]+ends[1] != 50 || c.Source(topics.Users) != source {
		t.Errorf("after a restart the broker has %v, %v", ends, err)
	}
}

func (raw) Encode(v any) ([]byte, error) { return v.([]byte), nil }

func (raw) Decode(b []byte) (any, error) { return b, nil }
