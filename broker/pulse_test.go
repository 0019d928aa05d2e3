package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// pause keeps the broker from responding to anybody until resume is called.
func pause(k *kfake.Cluster) (resume func()) {
	gate := make(chan struct{})
	k.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		<-gate
		return nil, nil, false
	})
	return func() { close(gate) }
}

func wantDetail(want string, state func() State) func() error {
	return func() error {
		if s := state(); s.Ready || !strings.Contains(s.Detail, want) {
			return fmt.Errorf("%+v, want %q", s, want)
		}
		return nil
	}
}

func TestPulse_IsNotReadyWhileTheBrokerIsSilent(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	p := c.NewPulse(publisher(t, c, 5*time.Second))
	end := runs(t, p.Run)
	defer end()
	eventually(t, func() error { return ready(p.State()) })
	resume := pause(k)
	eventually(t, wantDetail("does not answer for", p.State))
	resume()
	eventually(t, func() error { return ready(p.State()) })
}

// TestPulse_IsNotReadyWhilePostsFail has a broker that can be asked, and does not take
// what is published, as one whose disk is full.
func TestPulse_IsNotReadyWhilePostsFail(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub := publisher(t, c, 5*time.Second)
	p := c.NewPulse(pub)
	var full atomic.Bool
	full.Store(true)
	k.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		if !full.Load() {
			return nil, nil, false
		}
		return refusal(r.(*kmsg.ProduceRequest)), nil, true
	})
	if err := pub.Publish(t.Context(), records(1)); err == nil {
		t.Fatal("the broker took it")
	}
	if err := wantDetail("the last post failed", p.State)(); err != nil {
		t.Error(err)
	}
	full.Store(false)
	eventually(t, func() error { return errors.Join(pub.Publish(t.Context(), records(1)), ready(p.State())) })
}

func TestWritable_AsksForLeadersAndEnoughReplicas(t *testing.T) {
	t.Parallel()
	three := []int32{1, 2, 3}
	for want, p := range map[string]sarama.PartitionMetadata{
		"<nil>":                                 {Replicas: three, Isr: []int32{1, 2}},
		"1 replicas are in sync and it needs 2": {Replicas: three, Isr: []int32{1}},
		"no leader":                             {Err: sarama.ErrLeaderNotAvailable, Replicas: three, Isr: three},
	} {
		p.ID = 7
		err := writable([]*sarama.TopicMetadata{{Name: "t", Partitions: []*sarama.PartitionMetadata{&p}}})
		if !strings.Contains(strings.ReplaceAll(fmt.Sprint(err), sarama.ErrLeaderNotAvailable.Error(), "no leader"), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestPulse_NamesADiskThatIsFull(t *testing.T) {
	t.Parallel()
	c := connect(t, Config{Brokers: fake(t).ListenAddrs()})
	p := c.NewPulse(publisher(t, c, 5*time.Second))
	p.Folder = t.TempDir()
	if err := p.room(); err != nil {
		t.Error(err)
	}
	fault := brief(&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	p.fault.Store(&fault)
	if err := wantDetail("the disk is full", p.State)(); err != nil {
		t.Error(err)
	}
	p.Folder = filepath.Join(p.Folder, "gone")
	defer runs(t, p.Run)()
	eventually(t, wantDetail("no such file", p.State))
}

// refusal is a response to a produce of which nothing could be stored.
func refusal(r *kmsg.ProduceRequest) kmsg.Response {
	response := r.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range r.Topics {
		refused := kmsg.NewProduceResponseTopic()
		refused.Topic, refused.TopicID = topic.Topic, topic.TopicID
		for _, p := range topic.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode = p.Partition, kerr.KafkaStorageError.Code
			refused.Partitions = append(refused.Partitions, partition)
		}
		response.Topics = append(response.Topics, refused)
	}
	return response
}

// runs runs something until end is called.
func runs(t *testing.T, run func(context.Context) error) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
