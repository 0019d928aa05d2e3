package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tipoff/blackbox"
)

// balancer sends each request to the next gateway that was ready when last asked, as
// simple ones do, and tries none twice.
type balancer struct {
	next     atomic.Int64
	gateways []*gateway
}

type gateway struct {
	proxy *httputil.ReverseProxy
	ready atomic.Bool
	asked atomic.Int64 // times
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first := int(b.next.Add(1))
	for i := range b.gateways {
		if g := b.gateways[(first+i)%len(b.gateways)]; g.ready.Load() {
			g.proxy.ServeHTTP(w, r)
			return
		}
	}
	http.Error(w, "no gateway is ready", http.StatusBadGateway)
}

// check asks the gateway until ctx ends whether it is ready.
func (g *gateway) check(ctx context.Context, address string) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for ctx.Err() == nil {
		status, _, err := blackbox.Get(address + "/readyz")
		g.ready.Store(err == nil && status == http.StatusOK)
		g.asked.Add(1)
		<-ticker.C
	}
}

func (g *gateway) wantReady(t *testing.T) {
	t.Helper()
	seen := g.asked.Load()
	blackbox.Eventually(t, 60*time.Second, func() error {
		if g.asked.Load() < seen+2 || !g.ready.Load() {
			return fmt.Errorf("the balancer does not see the gateway ready")
		}
		return nil
	})
}

// load posts and asks through the balancer until ctx ends, and tells what was lost.
func load(ctx context.Context, worker int, address string, lost func(string)) {
	for i := 0; ctx.Err() == nil; i++ {
		q, _ := http.NewRequest("GET", address+"/v1/recommendations?user_id=u", nil)
		if i%2 == 0 {
			q, _ = http.NewRequest("POST", address+"/v1/users", strings.NewReader(fmt.Sprintf(`{"user_id":"%d-%d","birth_year":1990,`+
				`"country":"USA","currency":"USD","gender":"x","registration_date":"2020-01-01"}`, worker, i)))
			q.Header.Set("Content-Type", "application/json")
		}
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			lost(err.Error())
			continue
		}
		body, _ := io.ReadAll(a.Body)
		_ = a.Body.Close()
		if a.StatusCode >= 300 {
			lost(fmt.Sprintf("%s %s: %d %s", q.Method, q.URL.Path, a.StatusCode, body))
		}
	}
}

func TestAPI_TwoRestartedInTurnBehindABalancerLoseNoRequest(t *testing.T) {
	t.Parallel()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	b, gateways, start := &balancer{}, []*process{}, []func() *process{}
	for range 2 {
		address := freeAddress(t)
		env := []string{"TIPOFF_ADDR=" + address, "TIPOFF_DATA=" + t.TempDir(), "TIPOFF_DRAIN=2s", "KAFKA_BOOTSTRAP_SERVERS=" + kafka.ListenAddrs()[0]}
		to, _ := url.Parse("http://" + address)
		g := &gateway{proxy: httputil.NewSingleHostReverseProxy(to)}
		b.gateways = append(b.gateways, g)
		start = append(start, func() *process { return launch(t, env, "api") })
		gateways = append(gateways, start[len(start)-1]())
		running.Go(func() { g.check(ctx, to.String()) })
	}
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	for _, g := range b.gateways {
		g.wantReady(t)
	}
	var lost atomic.Int64
	for worker := range 4 {
		running.Go(func() {
			load(ctx, worker, front.URL, func(what string) {
				if lost.Add(1) <= 5 {
					t.Error("lost: " + what)
				}
			})
		})
	}
	for i, p := range gateways {
		if code := p.end(syscall.SIGTERM, 2*time.Second); code != 0 {
			t.Errorf("ended with status %d", code)
		}
		gateways[i] = start[i]()
		b.gateways[i].wantReady(t)
	}
	cancel()
	running.Wait()
	for _, p := range gateways {
		p.stop() // Ctrl-C does not drain: this is the time that stop allows
	}
}

// freeAddress is an address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestAPI_EndsWhileItWaitsForKafka has a Kafka that takes connections and says
// nothing, as one that is paused does, and one that is not there.
func TestAPI_EndsWhileItWaitsForKafka(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	connected := make(chan struct{})
	go func() {
		for once := true; ; once = false {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			if once {
				close(connected)
			}
		}
	}()
	p := launch(t, []string{"TIPOFF_DATA=" + t.TempDir(), "KAFKA_BOOTSTRAP_SERVERS=" + silent.Addr().String()}, "api")
	<-connected
	away := launch(t, []string{"TIPOFF_DATA=" + t.TempDir(), "KAFKA_BOOTSTRAP_SERVERS=" + freeAddress(t)}, "api")
	for _, p := range []*process{p, away} {
		if code := p.end(syscall.SIGTERM, 0); code != 0 {
			t.Errorf("ended with status %d", code)
		}
	}
}

func TestRoles_EndInTimeWhileKafkaIsPaused(t *testing.T) {
	t.Parallel()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	env := []string{"TIPOFF_DATA=" + t.TempDir(), "TIPOFF_DRAIN=0s", "KAFKA_BOOTSTRAP_SERVERS=" + kafka.ListenAddrs()[0]}
	all := []*process{launch(t, env, "api").ready(), launch(t, env, "processors").ready(), launch(t, env, "learner").ready(), launch(t, env, "sink").ready()}
	resume, paused := make(chan struct{}), make(chan struct{}, 1)
	defer close(resume)
	kafka.Control(func(kmsg.Request) (kmsg.Response, error, bool) { // nobody is answered while one waits here
		kafka.KeepControl()
		select {
		case paused <- struct{}{}:
		default:
		}
		<-resume
		return nil, nil, false
	})
	<-paused
	var ending sync.WaitGroup
	for _, p := range all {
		ending.Go(func() {
			p.end(syscall.SIGTERM, 0)
			if !strings.Contains(p.logged(), "msg=stopped") {
				t.Errorf("tipoff %s did not come to its end", p.name)
			}
		})
	}
	ending.Wait()
}

func TestRun_OutlastsItsTerminal(t *testing.T) {
	t.Parallel()
	p := launch(t, []string{"TIPOFF_DATA=" + t.TempDir()}).ready()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if status, body, err := blackbox.Get(p.url + "/healthz"); err != nil || status != http.StatusOK {
		t.Errorf("after SIGHUP: %d %s, %v", status, body, err)
	}
	p.stop()
}
