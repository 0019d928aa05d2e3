package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"tipoff/blackbox"
)

// metric is a value that the process tells of itself; of several with the name the
// sum.
func (p *process) metric(name string) (sum float64) {
	p.t.Helper()
	status, page, err := blackbox.Get(p.url + "/metrics")
	if err != nil || status != http.StatusOK {
		p.t.Fatalf("metrics: %d %v", status, err)
	}
	for line := range strings.Lines(page) {
		if rest, found := strings.CutPrefix(line, name); found && (rest[0] == ' ' || rest[0] == '{') {
			value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64)
			if err != nil {
				p.t.Fatal(err)
			}
			sum += value
		}
	}
	return sum
}

// memory is what the process has in use, in MiB.
func (p *process) memory() float64 {
	return (p.metric("go_memstats_heap_inuse_bytes") + p.metric("go_memstats_stack_inuse_bytes")) / (1 << 20)
}

// withEvents is a running process with 100 open events.
func withEvents(t *testing.T) *process {
	p := launch(t, []string{"TIPOFF_DATA=" + t.TempDir()}).ready()
	s := &blackbox.Service{T: t, URL: p.url, Prefix: fmt.Sprint(time.Now().UnixNano())}
	for i := range 100 {
		s.Post("/v1/events", 202, s.Event(fmt.Sprint("e", i), fmt.Sprint("L", i%7)))
	}
	blackbox.Eventually(t, 20*time.Second, func() error {
		if _, r, err := s.Recommended("nobody", 100); err != nil || len(r.Items) != 100 {
			return fmt.Errorf("%d items, %v", len(r.Items), err)
		}
		return nil
	})
	return p
}

// others asks as a normal client does and wants its answers.
func (p *process) others(times int) {
	p.t.Helper()
	for range times {
		if status, body, err := blackbox.Get(p.url + "/v1/recommendations?user_id=other&n=10"); err != nil || status != http.StatusOK {
			p.t.Errorf("another client is answered %d %.100s, %v", status, body, err)
		}
	}
}

func TestHostile_TenThousandIdleConnectionsLeaveOthersServed(t *testing.T) {
	t.Parallel()
	// The heap in use holds garbage that waits for its collection, up to as much again as what
	// lives: a connection's 30 KiB or so may be counted twice.
	const idle, most = 10_000, 80 << 10 // connections, bytes of memory each
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < idle+1_000 {
		t.Skipf("this process may have only %d files open: ulimit -n 12000", files.Cur)
	}
	p := withEvents(t)
	address := strings.TrimPrefix(p.url, "http://")
	before := p.memory()
	conns := make([]net.Conn, idle)
	var opening sync.WaitGroup
	for worker := range 8 {
		opening.Go(func() {
			for i := worker; i < idle; i += 8 {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Error(err)
					return
				}
				conns[i] = conn
				_, _ = io.WriteString(conn, "GET /v1/recommendations?user_id=idle&n=100 HTTP/1.1\r\nHost: "+address+"\r\n\r\n")
				answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil || answer.StatusCode != http.StatusOK {
					t.Errorf("%v, %v", answer, err)
					return
				}
				if _, err := io.Copy(io.Discard, answer.Body); err != nil {
					t.Error(err)
				}
			}
		})
	}
	opening.Wait()
	p.others(100)
	grown := p.memory() - before
	t.Logf("%d idle connections take %.0f MiB", idle, grown)
	if grown > idle*most/(1<<20) {
		t.Errorf("%d idle connections take %.0f MiB, more than %d", idle, grown, idle*most/(1<<20))
	}
	for _, conn := range conns {
		if conn != nil {
			_ = conn.Close()
		}
	}
	p.stop()
}

func TestHostile_UnknownUsersLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	const users, most = 100_000, 32 // asked for; MiB of memory in all
	p := withEvents(t)
	before, entries := p.memory(), p.metric("tipoff_view_entries")
	client := &fasthttp.Client{MaxConnsPerHost: 8}
	var next atomic.Int64
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			var body []byte
			for {
				user := next.Add(1)
				if user > users {
					return
				}
				var status int
				var err error
				status, body, err = client.Get(body[:0], fmt.Sprintf("%s/v1/recommendations?user_id=unknown-%d&n=1", p.url, user))
				if err != nil || status != http.StatusOK {
					t.Errorf("user %d: %d %s, %v", user, status, body, err)
					return
				}
			}
		})
	}
	asking.Wait()
	p.others(10)
	blackbox.Eventually(t, 30*time.Second, func() error { // a collection may be due
		if grown := p.memory() - before; grown > most {
			return fmt.Errorf("%d unknown users leave %.0f MiB behind", users, grown)
		}
		return nil
	})
	if now := p.metric("tipoff_view_entries"); now != entries {
		t.Errorf("the views have %v entries after, %v before", now, entries)
	}
	p.stop()
}
