package broker

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"

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
