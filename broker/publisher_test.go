package broker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"

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
	ends, err := c.ends(topics.Users, sarama.OffsetNewest)
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

// proxy lets a test cut the way to a broker.
type proxy struct {
	net.Listener
	to string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
	all   sync.WaitGroup
}

func newProxy(t *testing.T, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to}
	p.all.Go(p.serve)
	t.Cleanup(func() {
		l.Close()
		p.set(true)
		p.all.Wait()
	})
	return p
}

func (p *proxy) serve() {
	for {
		from, err := p.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", p.to)
		p.mu.Lock()
		if err != nil || p.cut {
			from.Close()
			if to != nil {
				to.Close()
			}
			p.mu.Unlock()
			continue
		}
		p.conns = append(p.conns, from, to)
		p.all.Go(func() { _, _ = io.Copy(to, from); to.Close() })
		p.all.Go(func() { _, _ = io.Copy(from, to); from.Close() })
		p.mu.Unlock()
	}
}

// set cuts every connection and refuses new ones, or lets them through again.
func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for _, c := range p.conns {
			c.Close()
		}
		p.conns = nil
	}
}

// behind starts a broker that clients reach through a proxy only.
func behind(t *testing.T) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, l.Addr().String())
	port := p.Addr().(*net.TCPAddr).Port
	fake(t, kfake.Ports(port), kfake.ListenFn(func(string, string) (net.Listener, error) { return &advertised{l, p.Addr()}, nil }))
	return p
}

// advertised is a listener whose address, as far as clients are told, is another.
type advertised struct {
	net.Listener
	addr net.Addr
}

func (a *advertised) Addr() net.Addr { return a.addr }

func TestPublisher_SaysUnavailableWhileTheBrokerIsAwayAndGoesOnAfter(t *testing.T) {
	t.Parallel()
	p := behind(t)
	c := connect(t, Config{Brokers: []string{p.Addr().String()}})
	pub := publisher(t, c, time.Second)
	if err := pub.Publish(t.Context(), records(1)); err != nil {
		t.Fatal(err)
	}
	p.set(true)
	for range 3 {
		if err := pub.Publish(t.Context(), records(1)); !errors.Is(err, tipoff.ErrUnavailable) {
			t.Errorf("while the broker is away: %v", err)
		}
	}
	p.set(false)
	eventually(t, func() error { return pub.Publish(t.Context(), records(1)) })
	eventually(t, func() error {
		if n := pub.Outstanding(); n != 0 {
			return fmt.Errorf("%d bytes outstanding", n)
		}
		return nil
	})
}

func TestPublisher_BoundsWhatWaits(t *testing.T) {
	t.Parallel()
	p := behind(t)
	c := connect(t, Config{Brokers: []string{p.Addr().String()}})
	pub := publisher(t, c, 100*time.Millisecond)
	p.set(true)
	big := topics.Record{Topic: topics.Users, Key: "default/u", Value: make([]byte, 512<<10)}
	eventually(t, func() error {
		err := pub.Publish(t.Context(), []topics.Record{big, big, big, big, big, big, big, big})
		if errors.Is(err, tipoff.ErrBusy) {
			// There is still room for small ones.
			if err := pub.Publish(t.Context(), records(1)); errors.Is(err, tipoff.ErrBusy) {
				t.Error("a flood of large batches stops small ones")
			}
			return nil
		}
		return fmt.Errorf("%d bytes wait: %v", pub.Outstanding(), err)
	})
	if pub.Outstanding() > maxOutstanding {
		t.Errorf("%d bytes wait", pub.Outstanding())
	}
	p.set(false)
}
