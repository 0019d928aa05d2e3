package rebuild

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"

	"tipoff/broker"
	"tipoff/topics"
)

// flaky is a producer that stores some of what it is given and then says that it
// failed, now and then.
type flaky struct {
	sarama.SyncProducer
	random *rand.Rand
	fails  int // left
	stored []*sarama.ProducerMessage
}

func (f *flaky) SendMessages(messages []*sarama.ProducerMessage) error {
	if f.fails == 0 || f.random.IntN(2) == 0 {
		f.stored = append(f.stored, messages...)
		return nil
	}
	f.fails--
	for _, m := range messages {
		if f.random.IntN(2) == 0 {
			f.stored = append(f.stored, m)
		}
	}
	return errors.New("the broker went away")
}

// copying is a session and a claim of a partition, from an offset on.
type copying struct {
	sarama.ConsumerGroupSession
	sarama.ConsumerGroupClaim
	ctx      context.Context
	end      context.CancelFunc
	messages chan *sarama.ConsumerMessage
	marked   int64 // the next offset
	endAt    int64
}

func (c *copying) Context() context.Context                 { return c.ctx }
func (c *copying) Messages() <-chan *sarama.ConsumerMessage { return c.messages }
func (c *copying) Topic() string                            { return topics.Coupons }
func (c *copying) MarkMessage(m *sarama.ConsumerMessage, _ string) {
	c.marked = m.Offset + 1
	if c.marked >= c.endAt {
		c.end()
	}
}

var silent = slog.New(slog.DiscardHandler)

// cluster is a broker in this process, with our topics.
func cluster(t *testing.T) *broker.Cluster {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	c, err := broker.Connect(t.Context(), broker.Config{Brokers: kafka.ListenAddrs()}, broker.Layout{Partitions: 2, Retention: 24 * time.Hour}, silent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestCopier_KeepsTheOrderOfEachKeyThroughFailuresAndRepeats(t *testing.T) {
	c := cluster(t)
	random := rand.New(rand.NewPCG(1, 2))
	var facts []*sarama.ConsumerMessage
	for offset := range int64(300) {
		facts = append(facts, &sarama.ConsumerMessage{
			Topic: topics.Coupons, Partition: 1, Offset: offset, Key: fmt.Appendf(nil, "default/u%d", random.IntN(40)), Value: []byte("v"), Timestamp: time.Now(),
		})
	}
	producer := &flaky{random: random, fails: 4}
	set := topics.TableSet{Number: 3, Copied: true}
	// The first owner of the partition ends on its way; the next one begins some
	// records before, as not all was committed.
	from := int64(0)
	for _, endAt := range []int64{120, 300} {
		s := &copying{messages: make(chan *sarama.ConsumerMessage, 64), endAt: endAt}
		s.ctx, s.end = context.WithCancel(t.Context())
		go func() {
			defer close(s.messages)
			for _, m := range facts[from:] {
				select {
				case s.messages <- m:
				case <-s.ctx.Done():
					return
				}
			}
		}()
		copier := NewCopier(c, set, silent)
		copier.producer = producer
		if err := copier.ConsumeClaim(s, s); err != nil {
			t.Fatal(err)
		}
		from = max(0, s.marked-30)
	}
	if producer.fails > 0 {
		t.Errorf("the producer failed %d times too few", producer.fails)
	}
	next := map[string][]int64{}
	for _, m := range facts {
		next[string(m.Key)] = append(next[string(m.Key)], m.Offset)
	}
	first := map[int64]bool{}
	for _, m := range producer.stored {
		key, _ := m.Key.Encode()
		origin, err := topics.ParseOrigin(m.Headers[1].Value)
		if err != nil || m.Topic != "tipoff-coupons-3" || origin.TopicID != c.TopicID(topics.Coupons) || origin.Partition != 1 {
			t.Fatalf("%+v, %v", m, err)
		}
		if first[origin.Offset] {
			continue
		}
		first[origin.Offset] = true
		if want := next[string(key)][0]; want != origin.Offset {
			t.Fatalf("%s: offset %d was copied before %d", key, origin.Offset, want)
		}
		next[string(key)] = next[string(key)][1:]
	}
	if len(first) != len(facts) || len(producer.stored) == len(facts) {
		t.Errorf("%d of %d facts were copied, by %d copies", len(first), len(facts), len(producer.stored))
	}
}

// TestCopied_SaysWhatTheGatewayKnew, so that a bettor learns from the copy what it has learnt
// from the coupon, whatever was posted of the event since; but not what the coupon was traced
// under.
func TestCopied_SaysWhatTheGatewayKnew(t *testing.T) {
	knew := topics.Headers{Received: time.UnixMicro(5), Events: "known", Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	m := &sarama.ConsumerMessage{Topic: topics.Coupons, Key: []byte("default/u"), Value: []byte("v"), Timestamp: time.UnixMicro(9)}
	for name, value := range knew.All() {
		m.Headers = append(m.Headers, &sarama.RecordHeader{Key: []byte(name), Value: value})
	}
	copied := topics.ParseHeaders(func(yield func(string, []byte) bool) {
		for _, h := range copied(m, "copies", topics.Origin{TopicID: "AAAAAAAAAAAAAAAAAAAAAQ", Appended: m.Timestamp}).Headers {
			yield(string(h.Key), h.Value)
		}
	})
	if copied.Events != "known" || !copied.Received.Equal(knew.Received) || copied.Origin.IsZero() || copied.Trace != "" {
		t.Errorf("%+v", copied)
	}
}
