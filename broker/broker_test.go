package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"tipoff"
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

func fake(t *testing.T, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	k, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func connect(t *testing.T, config Config) *Cluster {
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

func records(n int) []tipoff.Record {
	list := make([]tipoff.Record, n)
	for i := range list {
		list[i] = tipoff.Record{Topic: tipoff.TopicUsers, Key: fmt.Sprintf("default/u%d", i), Value: fmt.Appendf(nil, "%d", i), Received: time.Now()}
	}
	return list
}

func TestEnsureTopics_CreatesThemAsStatedAndAgrees(t *testing.T) {
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	if err := c.EnsureTopics(); err != nil {
		t.Errorf("again: %v", err)
	}
	topics, err := c.admin.ListTopics()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range tipoff.Topics() {
		got, ok := topics[want.Name]
		if !ok || got.NumPartitions != 2 {
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
		if c.Source(want.Name) == 0 || c.TopicID(want.Name) == "" {
			t.Errorf("%s has no id", want.Name)
		}
	}
}

func TestEnsureTopics_RefusesAMismatchAndNamesIt(t *testing.T) {
	k := fake(t, kfake.SeedTopics(3, tipoff.TopicUsers))
	other := layout
	_, err := Connect(t.Context(), Config{Brokers: k.ListenAddrs()}, other, silent)
	var mismatch MismatchError
	if !errors.As(err, &mismatch) || !strings.Contains(err.Error(), "user_topic: number of partitions is 3, the settings say 2") ||
		!strings.Contains(err.Error(), "cleanup.policy") || !strings.Contains(err.Error(), "TIPOFF_PARTITIONS") {
		t.Errorf("err = %v", err)
	}
}

func TestLayout_NamesTheSettingThatIsOutOfBounds(t *testing.T) {
	for setting, l := range map[string]Layout{
		"TIPOFF_PARTITIONS":  {Partitions: 6, Retention: time.Hour},
		"TIPOFF_REPLICATION": {Partitions: 8, Replication: -1, Retention: time.Hour},
		"TIPOFF_RETENTION":   {Partitions: 8, Retention: time.Minute},
	} {
		if err := l.Validate(); err == nil || !strings.HasPrefix(err.Error(), setting) {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

func TestConnect_WaitsForTheCluster(t *testing.T) {
	k := fake(t)
	addr := k.ListenAddrs()
	k.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := Connect(ctx, Config{Brokers: addr}, layout, silent); err == nil {
		t.Error("connected to a cluster that is down")
	}
}

func TestPublisher_AcknowledgesWhatTheBrokerHas(t *testing.T) {
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
	ends, err := c.ends(tipoff.TopicUsers, sarama.OffsetNewest)
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
	p := behind(t)
	c := connect(t, Config{Brokers: []string{p.Addr().String()}})
	pub, err := c.NewPublisher(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
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
	p := behind(t)
	c := connect(t, Config{Brokers: []string{p.Addr().String()}})
	pub, err := c.NewPublisher(100 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	p.set(true)
	big := tipoff.Record{Topic: tipoff.TopicUsers, Key: "default/u", Value: make([]byte, 512<<10)}
	eventually(t, func() error {
		err := pub.Publish(t.Context(), []tipoff.Record{big, big, big, big, big, big, big, big})
		if errors.Is(err, tipoff.ErrBusy) {
			return nil
		}
		return fmt.Errorf("%d bytes wait: %v", pub.Outstanding(), err)
	})
	if pub.Outstanding() > maxOutstanding {
		t.Errorf("%d bytes wait", pub.Outstanding())
	}
	p.set(false)
}

func TestConfig_SASLAndTLS(t *testing.T) {
	folder := t.TempDir()
	certificate := selfSigned(t, folder)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		for _, protocol := range []string{"SASL_PLAINTEXT", "SASL_SSL"} {
			t.Run(mechanism+" "+protocol, func(t *testing.T) {
				options := []kfake.Opt{kfake.EnableSASL(), kfake.Superuser(mechanism, "tip", "secret")}
				if protocol == "SASL_SSL" {
					options = append(options, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}))
				}
				k := fake(t, options...)
				config := Config{
					Brokers: k.ListenAddrs(), SecurityProtocol: protocol, SASLMechanism: mechanism, SASLUsername: "tip", SASLPassword: "secret",
					CALocation: filepath.Join(folder, "cert.pem"),
				}
				connect(t, config)
				config.SASLPassword = "wrong"
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				if _, err := Connect(ctx, config, layout, silent); err == nil {
					t.Error("a wrong password was let in")
				}
			})
		}
	}
}

func TestConfig_NamesTheSettingThatIsWrong(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "no.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for setting, c := range map[string]Config{
		"KAFKA_SECURITY_PROTOCOL":        {SecurityProtocol: "TELNET"},
		"KAFKA_SASL_MECHANISM":           {SecurityProtocol: "SASL_SSL", SASLUsername: "u", SASLMechanism: "MAGIC"},
		"KAFKA_SASL_USERNAME":            {SecurityProtocol: "SASL_PLAINTEXT"},
		"KAFKA_SSL_CA_LOCATION":          {SecurityProtocol: "SSL", CALocation: filepath.Join(folder, "no.pem")},
		"KAFKA_SSL_CERTIFICATE_LOCATION": {SecurityProtocol: "SSL", CertLocation: "none.pem", KeyLocation: "none.key"},
	} {
		if _, err := c.sarama("test"); err == nil || !strings.HasPrefix(err.Error(), setting) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

func TestEmbedded_KeepsWhatItAcknowledged(t *testing.T) {
	folder := t.TempDir()
	e, err := OpenEmbedded(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenEmbedded(folder); err == nil || !strings.Contains(err.Error(), e.Brokers()[0]) {
		t.Errorf("a second owner of the folder: %v", err)
	}
	c, err := Connect(t.Context(), Config{Brokers: e.Brokers()}, layout, silent)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.NewPublisher(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	source := c.Source(tipoff.TopicUsers)
	if err := errors.Join(p.Publish(t.Context(), records(50)), p.Close(), c.Close(), e.Close()); err != nil {
		t.Fatal(err)
	}
	if e, err = OpenEmbedded(folder); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c, err = Connect(t.Context(), Config{Brokers: e.Brokers()}, layout, silent)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ends, err := c.ends(tipoff.TopicUsers, sarama.OffsetNewest)
	if err != nil || ends[0]+ends[1] != 50 || c.Source(tipoff.TopicUsers) != source {
		t.Errorf("after a restart the broker has %v, %v", ends, err)
	}
}

// counting is a processor's graph that keeps how many records each key had.
func counting() *goka.GroupGraph {
	count := func(ctx goka.Context, _ any) {
		n := 0
		if v, ok := ctx.Value().([]byte); ok {
			_, _ = fmt.Sscan(string(v), &n)
		}
		ctx.SetValue(fmt.Appendf(nil, "%d", n+1))
	}
	return goka.DefineGroup(tipoff.GroupBettors, goka.Input(tipoff.TopicUsers, raw{}, count), goka.Persist(raw{}))
}

type raw struct{}

func (raw) Encode(v any) ([]byte, error) { return v.([]byte), nil }
func (raw) Decode(b []byte) (any, error) { return b, nil }

// following collects what a view sees.
type following struct {
	mu     sync.Mutex
	values map[string]string
}

func (f *following) apply(u Update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.values == nil {
		f.values = map[string]string{}
	}
	f.values[u.Key] = string(u.Value)
}

func (f *following) want(key, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if got := f.values[key]; got != value {
		return fmt.Errorf("%s = %q, want %q", key, got, value)
	}
	return nil
}

func ready(s State) error {
	if !s.Ready {
		return errors.New(s.Detail)
	}
	return nil
}

func TestProcessorAndView_FollowTheStreamThroughARestart(t *testing.T) {
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub, err := c.NewPublisher(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	var seen following
	view := c.NewView(tipoff.TableBettors, seen.apply)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	running.Go(func() { _ = view.Run(ctx) })
	for round := 1; round <= 3; round++ {
		life, end := context.WithCancel(t.Context())
		p := c.NewProcessor(counting())
		done := make(chan struct{})
		go func() { defer close(done); _ = p.Run(life) }()
		if err := pub.Publish(t.Context(), records(20)); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error { return ready(p.State()) })
		for i := range 20 {
			eventually(t, func() error { return seen.want(fmt.Sprintf("default/u%d", i), fmt.Sprint(round)) })
		}
		end()
		<-done
		if s := p.State(); s.Ready {
			t.Errorf("a processor that has ended is ready: %+v", s)
		}
	}
	eventually(t, func() error { return ready(view.State()) })
	cancel()
	running.Wait()
}

func TestProcessor_TwoShareThePartitionsAndOneTakesOver(t *testing.T) {
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub, err := c.NewPublisher(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	var seen following
	view := c.NewView(tipoff.TableBettors, seen.apply)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	running.Go(func() { _ = view.Run(ctx) })
	lives := make([]context.CancelFunc, 2)
	var both [2]*Processor
	for i := range both {
		var life context.Context
		life, lives[i] = context.WithCancel(t.Context())
		both[i] = c.NewProcessor(counting())
		running.Go(func() { _ = both[i].Run(life) })
	}
	eventually(t, func() error {
		for _, p := range both {
			if s := p.State(); !s.Ready || s.Detail != "works on 1 of 2 partitions" {
				return errors.New(s.Detail)
			}
		}
		return nil
	})
	if err := pub.Publish(t.Context(), records(20)); err != nil {
		t.Fatal(err)
	}
	lives[0]()
	if err := pub.Publish(t.Context(), records(20)); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		eventually(t, func() error { return seen.want(fmt.Sprintf("default/u%d", i), "2") })
	}
	eventually(t, func() error {
		if s := both[1].State(); s.Detail != "works on 2 of 2 partitions" {
			return errors.New(s.Detail)
		}
		return nil
	})
	lives[1]()
	cancel()
	running.Wait()
}

func TestView_IsNotReadyBeforeItHasAll(t *testing.T) {
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub, err := c.NewPublisher(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	values := records(200)
	for i := range values {
		values[i].Topic = tipoff.TableBettors
	}
	if err := pub.Publish(t.Context(), values); err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	var seen following
	view := c.NewView(tipoff.TableBettors, func(u Update) { <-gate; seen.apply(u) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = view.Run(ctx) }()
	eventually(t, func() error {
		if s := view.State(); s.Lag != 200 {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	if view.State().Ready {
		t.Error("ready before anything was applied")
	}
	close(gate)
	eventually(t, func() error { return ready(view.State()) })
	if len(seen.values) != 200 {
		t.Errorf("ready with %d of 200 values", len(seen.values))
	}
	cancel()
	<-done
}

func TestLag_CountsWhatIsLeft(t *testing.T) {
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub, err := c.NewPublisher(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	if err := pub.Publish(t.Context(), records(30)); err != nil {
		t.Fatal(err)
	}
	lag, err := c.lag("nobody", []string{tipoff.TopicUsers, tipoff.TopicEvents})
	if err != nil || lag[tipoff.TopicUsers] != 30 || lag[tipoff.TopicEvents] != 0 {
		t.Errorf("lag = %v, %v", lag, err)
	}
}
