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

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestFreshness_OfAViewThatIsNeverAtTheEndButFollows(t *testing.T) {
	t.Parallel()
	applied, now := int64(0), time.Now()
	behind := func(ends map[int32]int64) int64 { return max(0, ends[0]-applied) }
	f := new(freshness)
	end := func(at int64) map[int32]int64 { return map[int32]int64{0: at} }
	f.saw(end(10), now.Add(-60*time.Second), behind)
	if s := f.of(State{Ready: true}); s.Spared || !s.AsOf.IsZero() {
		t.Errorf("before it had all: %+v", s)
	}
	applied = 10 // of 20
	f.saw(end(20), now.Add(-59*time.Second), behind)
	if s := f.of(State{Ready: true}); s.Ready || !s.Spared || s.AsOf.Unix() != now.Add(-60*time.Second).Unix() || !strings.Contains(s.Detail, "does not see the end") {
		t.Errorf("what it has is a minute old: %+v", s)
	}
	applied = 25
	f.saw(end(30), now, behind)
	f.saw(end(40), now, behind)
	applied = 39
	f.saw(end(40), now, behind)
	if s := f.of(State{Ready: true}); !s.Ready {
		t.Errorf("one that follows closely: %+v", s)
	}
}

func TestFreshness_AViewThatEndedIsNotReadyBeforeItRunsAgain(t *testing.T) {
	t.Parallel()
	none := func(map[int32]int64) int64 { return 0 }
	f := new(freshness)
	f.saw(nil, time.Now(), none)
	why := "ended 9 times in a row"
	f.trouble.Store(&why)
	for _, living := range []bool{false, true} {
		f.living.Store(living)
		f.saw(nil, time.Now(), none)
		if s := f.of(State{Ready: true, Detail: "follows its table"}); s.Ready != living || !s.Spared || (s.Detail == why) == living {
			t.Errorf("while it runs %v: %+v", living, s)
		}
	}
}

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
