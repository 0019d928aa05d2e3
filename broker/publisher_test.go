package broker

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"

	"tipoff"
	"tipoff/topics"
)

func TestPublisher_AcknowledgesWhatTheBrokerHas(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	p, err := c.NewPublisher(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if err := p.Publish(t.Context(), records(100)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	ends, err := c.ends(t.Context(), topics.Users, sarama.OffsetNewest)
	if err != nil || ends[0]+ends[1] != 1000 {
		t.Errorf("the broker has %v, %v", ends, err)
	}
	if p.Outstanding() != 0 {
		t.Errorf("%d bytes outstanding", p.Outstanding())
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Publish(t.Context(), records(1)); !errors.Is(err, tipoff.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}

// TestPublisher_MixesNoBatches, which are used again: each record has what was published of it.
func TestPublisher_MixesNoBatches(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	p := publisher(t, c, 5*time.Second)
	const callers, calls = 8, 25
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for call := range calls {
				var batch []topics.Record
				for i := range 1 + call%3 {
					text := fmt.Sprintf("%d %d %d %s", caller, call, i, strings.Repeat("x", call))
					batch = append(batch, topics.Record{Topic: topics.Users, Key: text, Value: []byte(text), Received: time.UnixMicro(int64(call)), Events: text})
				}
				if err := p.Publish(t.Context(), batch); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	reader, err := c.config.franz("test", kgo.ConsumeTopics(topics.Users), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	seen := map[string]bool{}
	for len(seen) < callers*(calls/3*6+1) && t.Context().Err() == nil {
		reader.PollFetches(t.Context()).EachRecord(func(r *kgo.Record) {
			text := string(r.Value)
			call := strings.Fields(text)[1]
			if string(r.Key) != text || len(r.Headers) != 2 || string(r.Headers[0].Value) != call || string(r.Headers[1].Value) != text {
				t.Errorf("record %q has key %q and headers %q", text, r.Key, r.Headers)
			}
			seen[text] = true
		})
	}
}
