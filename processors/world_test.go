package processors_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
	"pgregory.net/rapid"

	"tipoff/broker"
	"tipoff/processors"
	"tipoff/state"
	"tipoff/topics"
)

var silent = slog.New(slog.DiscardHandler)

const partitions = 2

// world is a broker in this process with processors at work on it, which a test
// may kill, pause and cut off.
type world struct {
	rapid.TB  // the test, or the part of it that uses the world now
	kafka     *kfake.Cluster
	cluster   *broker.Cluster // never cut off
	publisher *broker.Publisher
	client    sarama.Client
	live      []*process
	faults    *kfake.FaultHandle // nil: none
}

func newWorld(t *testing.T) *world {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(2))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	w := &world{TB: t, kafka: kafka}
	w.cluster = w.connect(nil)
	t.Cleanup(func() { _ = w.cluster.Close() })
	if w.publisher, err = w.cluster.NewPublisher(2 * time.Second); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.publisher.Close() })
	config := sarama.NewConfig()
	config.Version = sarama.V3_0_0_0
	config.Consumer.MaxWaitTime = 10 * time.Millisecond
	config.Consumer.Retry.Backoff = 10 * time.Millisecond
	if w.client, err = sarama.NewClient(kafka.ListenAddrs(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.client.Close() })
	t.Cleanup(func() {
		for len(w.live) > 0 {
			w.stop(w.live[0])
		}
	})
	return w
}

func (w *world) connect(dial func(network, address string) (net.Conn, error)) *broker.Cluster {
	w.Helper()
	c, err := broker.Connect(context.Background(), broker.Config{Brokers: w.kafka.ListenAddrs(), Dial: dial},
		broker.Layout{Partitions: partitions, Retention: 24 * time.Hour}, silent)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// process is both processors as one program runs them.
type process struct {
	way   way
	end   context.CancelFunc
	ended chan struct{}
}

// start starts a process; it is at work some time later.
func (w *world) start() *process {
	w.Helper()
	p := &process{ended: make(chan struct{})}
	var ctx context.Context
	ctx, p.end = context.WithCancel(context.Background())
	cluster := w.connect(p.way.dial)
	publisher, err := cluster.NewPublisher(2 * time.Second)
	if err != nil {
		w.Fatal(err)
	}
	var running sync.WaitGroup
	for _, table := range processors.Tables() {
		rewriter := cluster.NewRewriter(publisher, func(key string) topics.Record { return table.Rewrite(topics.TableSet{}, key) })
		owner := cluster.NewOwner(broker.TableValues{Epoch: state.Epoch, Check: state.CheckVersion, Group: table.Group}, rewriter.Add)
		processor := cluster.NewProcessor(table.Graph(owner, topics.TableSet{}), owner)
		running.Go(func() { _ = rewriter.Run(ctx) })
		running.Go(func() { _ = processor.Run(ctx) })
	}
	go func() {
		defer close(p.ended)
		running.Wait()
		_ = publisher.Close()
		_ = cluster.Close()
	}()
	w.live = append(w.live, p)
	return p
}

// stop ends a process as it should end.
func (w *world) stop(p *process) {
	w.Helper()
	w.forget(p)
	p.way.open()
	p.end()
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		w.Error("a process did not end")
	}
}

// kill ends a process abruptly: nothing of what it has in hand reaches the broker.
func (w *world) kill(p *process) {
	w.Helper()
	w.forget(p)
	p.way.cut()
	p.end()
	w.kick()
}

func (w *world) forget(p *process) {
	for i := range w.live {
		if w.live[i] == p {
			w.live = append(w.live[:i], w.live[i+1:]...)
			return
		}
	}
}

// kick makes the groups forget their members, as they forget one whose session has
// timed out; those that live join again.
func (w *world) kick() {
	w.Helper()
	for _, group := range []string{topics.GroupBettors, topics.GroupFixtures, topics.GroupLearner} {
		info := w.kafka.GroupInfo(group)
		if info == nil {
			continue
		}
		for _, m := range info.Members {
			_ = w.client.RefreshCoordinator(group)
			coordinator, err := w.client.Coordinator(group)
			if err != nil {
				w.Fatal(err)
			}
			if _, err := coordinator.LeaveGroup(&sarama.LeaveGroupRequest{GroupId: group, MemberId: m.MemberID}); err != nil {
				w.Fatal(err)
			}
		}
	}
}

// publish puts a fact on its topic, however often it takes.
func (w *world) publish(r topics.Record) {
	w.Helper()
	w.eventually(30*time.Second, func() error { return w.publisher.Publish(context.Background(), []topics.Record{r}) })
}

// settle waits until the processors have finished all that is on their inputs.
func (w *world) settle() {
	w.Helper()
	w.eventually(60*time.Second, func() error {
		before := w.ends()
		for group, names := range inputs {
			info := w.kafka.GroupInfo(group)
			if info == nil {
				return fmt.Errorf("group %s is not there", group)
			}
			for _, topic := range names {
				for p := range int32(partitions) {
					if end, done := before[topic][p], info.Commits[topic][p].Offset; end != done {
						return fmt.Errorf("%s has %d of %d records of %s/%d", group, done, end, topic, p)
					}
				}
			}
		}
		if after := w.ends(); fmt.Sprint(before) != fmt.Sprint(after) {
			return errors.New("still at work")
		}
		return nil
	})
}

// inputs are what each group of the processors reads, as their graphs say.
var inputs = func() map[string][]string {
	all := map[string][]string{}
	for _, table := range processors.Tables() {
		graph := table.Graph(nil, topics.TableSet{})
		for _, input := range append(graph.InputStreams(), graph.LoopStream()) {
			if input != nil {
				all[string(graph.Group())] = append(all[string(graph.Group())], input.Topic())
			}
		}
	}
	return all
}()

func (w *world) ends() map[string][partitions]int64 {
	ends := map[string][partitions]int64{}
	for _, names := range inputs {
		for _, topic := range names {
			var list [partitions]int64
			for p := range list {
				list[p] = w.kafka.PartitionInfo(topic, int32(p)).HighWatermark
			}
			ends[topic] = list
		}
	}
	return ends
}

func (w *world) eventually(patience time.Duration, holds func() error) {
	w.Helper()
	deadline := time.After(patience)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			w.Fatalf("after %s: %v", patience, err)
		}
	}
}

// record is one of a topic, as a plain consumer reads it.
type record struct {
	key, value string
	partition  int32
	offset     int64
	at         time.Time
	headers    map[string]string
}

// read reads a topic from its beginning to its present end.
func (w *world) read(topic string) (records []record) {
	w.Helper()
	if err := w.client.RefreshMetadata(topic); err != nil { // leaders may have moved
		w.Fatal(err)
	}
	consumer, err := sarama.NewConsumerFromClient(w.client)
	if err != nil {
		w.Fatal(err)
	}
	defer consumer.Close()
	for p := range int32(partitions) {
		info := w.kafka.PartitionInfo(topic, p)
		next := info.LogStartOffset
		if next >= info.HighWatermark {
			continue
		}
		part, err := consumer.ConsumePartition(topic, p, next)
		if err != nil {
			w.Fatal(err)
		}
		for next < info.HighWatermark {
			select {
			case m := <-part.Messages():
				r := record{key: string(m.Key), value: string(m.Value), partition: p, offset: m.Offset, at: m.Timestamp, headers: map[string]string{}}
				for _, h := range m.Headers {
					r.headers[string(h.Key)] = string(h.Value)
				}
				records = append(records, r)
				next = m.Offset + 1
			case <-time.After(20 * time.Second):
				w.Fatalf("%s/%d ends at %d, want %d", topic, p, next, info.HighWatermark)
			}
		}
		_ = part.Close()
	}
	return records
}

// table reads what a table holds: of each key the newest value of the newest epoch.
func (w *world) table(topic, company string) map[string][]byte {
	w.Helper()
	newest, epochs := map[string][]byte{}, map[string]uint64{}
	for _, r := range w.read(topic) {
		if !strings.HasPrefix(r.key, company+"/") {
			continue
		}
		value := []byte(r.value)
		if len(value) == 0 {
			delete(newest, r.key)
			continue
		}
		if epoch := state.Epoch(value); epoch >= epochs[r.key] {
			newest[r.key], epochs[r.key] = value, epoch
		}
	}
	return newest
}

// way is a process's connections to the broker.
type way struct {
	mu     sync.Mutex
	closed bool
	held   chan struct{} // while paused: closed when it goes on
	conns  []net.Conn
}

var errCut = errors.New("the way is cut")

func (y *way) dial(network, address string) (net.Conn, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.closed {
		return nil, errCut
	}
	c, err := net.Dial(network, address)
	if err == nil {
		y.conns = append(y.conns, c)
		c = &heldConn{c, y}
	}
	return c, err
}

// cut closes every connection for good.
func (y *way) cut() {
	y.mu.Lock()
	y.closed = true
	for _, c := range y.conns {
		_ = c.Close()
	}
	y.mu.Unlock()
	y.open()
}

// pause holds what the process sends and receives, until open.
func (y *way) pause() {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.held == nil {
		y.held = make(chan struct{})
	}
}

func (y *way) open() {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.held != nil {
		close(y.held)
		y.held = nil
	}
}

func (y *way) wait() {
	y.mu.Lock()
	held := y.held
	y.mu.Unlock()
	if held != nil {
		<-held
	}
}

type heldConn struct {
	net.Conn
	way *way
}

func (c *heldConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.way.wait()
	return n, err
}

func (c *heldConn) Write(b []byte) (int, error) {
	c.way.wait()
	return c.Conn.Write(b)
}
