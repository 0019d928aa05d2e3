package broker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"tipoff/topics"
)

// TestOffsets_AreNotWaitedForLongerThanTheContext: a broker may take its time.
func TestOffsets_AreNotWaitedForLongerThanTheContext(t *testing.T) {
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	gate := make(chan struct{})
	defer close(gate)
	asked, end := context.WithCancel(t.Context())
	k.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		end()
		<-gate
		return nil, nil, false
	})
	done := make(chan error, 1)
	go func() {
		_, _, err := c.Last(asked, topics.Rejected, 10, 1<<20)
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the broker")
	}
}
