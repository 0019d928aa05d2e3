package acceptance

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/twmb/franz-go/pkg/kfake"

	"tipoff"
	"tipoff/broker"
	"tipoff/topics"
)

// advertised is a listener whose address, as far as clients are told, is another.
type advertised struct {
	net.Listener
	addr net.Addr
}

func (a *advertised) Addr() net.Addr { return a.addr }

// brokerBehindProxy starts a broker that clients reach through the proxy alone, and
// a publisher to it that gives up after patience.
func brokerBehindProxy(t *testing.T, patience time.Duration) (*toxiproxy.Proxy, *broker.Publisher) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy := behindProxy(t, listener.Addr().String())
	address, err := net.ResolveTCPAddr("tcp", proxy.Listen)
	if err != nil {
		t.Fatal(err)
	}
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(address.Port),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return &advertised{listener, address}, nil }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	cluster, err := broker.Connect(t.Context(), broker.Config{Brokers: []string{proxy.Listen}},
		broker.Layout{Partitions: 2, Retention: 24 * time.Hour}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Close() })
	publisher, err := cluster.NewPublisher(patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = publisher.Close() })
	return proxy, publisher
}

func aRecord() []topics.Record {
	return []topics.Record{{Topic: topics.Users, Key: "default/u", Value: []byte("1"), Received: time.Now()}}
}

func TestPublisher_SaysUnavailableWhileTheBrokerIsAwayAndGoesOnAfter(t *testing.T) {
	proxy, publisher := brokerBehindProxy(t, time.Second)
	if err := publisher.Publish(t.Context(), aRecord()); err != nil {
		t.Fatal(err)
	}
	proxy.Stop()
	for range 3 {
		if err := publisher.Publish(t.Context(), aRecord()); !errors.Is(err, tipoff.ErrUnavailable) {
			t.Errorf("while the broker is away: %v", err)
		}
	}
	start(t, proxy)
	eventually(t, 30*time.Second, func() error { return publisher.Publish(t.Context(), aRecord()) })
	eventually(t, 30*time.Second, func() error {
		if n := publisher.Outstanding(); n != 0 {
			return fmt.Errorf("%d bytes outstanding", n)
		}
		return nil
	})
}

func TestPublisher_BoundsWhatWaits(t *testing.T) {
	const most, floods = 64 << 20, 24
	proxy, publisher := brokerBehindProxy(t, 3*time.Second)
	proxy.Stop()
	flood := make([]topics.Record, 8) // 4 MiB
	for i := range flood {
		flood[i] = topics.Record{Topic: topics.Users, Key: "default/u", Value: make([]byte, 512<<10)}
	}
	results := make(chan error, floods)
	for range floods {
		go func() { results <- publisher.Publish(t.Context(), flood) }()
	}
	busy := 0
	for range floods {
		err := <-results
		if n := publisher.Outstanding(); n > most {
			t.Errorf("%d bytes wait, more than %d", n, most)
		}
		switch {
		case errors.Is(err, tipoff.ErrBusy):
			if busy++; busy > 1 {
				continue
			}
			// There is still room for small ones.
			if err := publisher.Publish(t.Context(), aRecord()); errors.Is(err, tipoff.ErrBusy) {
				t.Error("a flood of large batches stops small ones")
			}
		case !errors.Is(err, tipoff.ErrUnavailable):
			t.Errorf("while the broker is away: %v", err)
		}
	}
	if busy == 0 || busy == floods {
		t.Errorf("%d of %d large batches are refused", busy, floods)
	}
	start(t, proxy)
}
