package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// process is one process of the system under test: the real program in one role.
type process struct {
	proc
	role    string
	number  int
	life    atomic.Int64 // how often it was started
	joining bool         // takes part only while a fault says so
}

const partitions = 8

// roles of the processes; the last ones join and leave.
var roles = []string{"api", "api", "processors", "processors", "sink", "sink", "processors", "sink"}

const regulars = 6

func (h *harness) defineProcesses() {
	count := map[string]int{}
	for i, role := range roles {
		count[role]++
		p := &process{role: role, number: i, joining: i >= regulars}
		p.name = fmt.Sprintf("%s-%d", role, count[role])
		p.start = func() (*exec.Cmd, error) {
			log, err := h.logTo(p.name)
			if err != nil {
				return nil, err
			}
			p.life.Add(1)
			cmd := exec.Command(h.binary, p.role)
			cmd.Dir = h.Folder
			cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, h.environment(p)...)
			cmd.Stdout, cmd.Stderr = log, log
			return cmd, nil
		}
		h.processes = append(h.processes, p)
	}
}

// environment gives a process its own wires to everything.
func (h *harness) environment(p *process) []string {
	var list []string
	for b := range brokers {
		list = append(list, address(h.Port+portBroker+100*b+10+p.number+proxied))
	}
	return []string{
		"KAFKA_BOOTSTRAP_SERVERS=" + strings.Join(list, ","),
		fmt.Sprintf("DATABASE_URL=mysql://tipoff:tipoff@%s/tipoff", address(h.Port+proxyMySQL+p.number)),
		"TIPOFF_ADDR=" + address(h.Port+portProcess+p.number),
		fmt.Sprintf("TIPOFF_PARTITIONS=%d", partitions),
		"TIPOFF_REPLICATION=3",
	}
}

// url is where the harness reaches a process; clients go through the proxy.
func (h *harness) url(p *process) string { return "http://" + address(h.Port+portProcess+p.number) }

func (h *harness) clientURL(p *process) string {
	return "http://" + address(h.Port+portProcess+p.number+proxied)
}

func (h *harness) wireProcesses() error {
	for _, p := range h.processes {
		if err := h.net.wire(p.name+">mysql", h.Port+proxyMySQL+p.number, h.Port+portMySQL); err != nil {
			return err
		}
		if p.role == "api" {
			if err := h.net.wire("clients>"+p.name, h.Port+portProcess+p.number+proxied, h.Port+portProcess+p.number); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *harness) apis() []*process { return h.processes[:2] }

// readiness is what /readyz returns.
type readiness struct {
	Ready bool
	Parts []struct {
		Name, Detail string
		Ready        bool
		Lag          int64
	}
}

var asking = &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// ready returns nil once every part of the process is ready and has no lag.
func (h *harness) ready(p *process) error {
	response, err := asking.Get(h.url(p) + "/readyz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var r readiness
	if err := json.NewDecoder(response.Body).Decode(&r); err != nil {
		return err
	}
	for _, part := range r.Parts {
		if !part.Ready || part.Lag > 0 {
			return fmt.Errorf("%s: %s: %s, lag %d", p.name, part.Name, part.Detail, part.Lag)
		}
	}
	return nil
}

// quiet waits until every process is ready and nothing is left to do.
func (h *harness) quiet(ctx context.Context) error {
	for _, p := range h.processes {
		if p.joining {
			continue
		}
		if err := eventually(ctx, "quiet", func() error { return h.ready(p) }); err != nil {
			return err
		}
	}
	return eventually(ctx, "quiet", h.noLag)
}

// keepEvidence keeps what the processes say of themselves, for whoever looks into a
// failure: readiness and metrics in files, every goroutine's stack in their logs.
func (h *harness) keepEvidence() {
	for _, p := range h.processes {
		if !p.running() {
			continue
		}
		for _, page := range []string{"readyz", "metrics"} {
			response, err := asking.Get(h.url(p) + "/" + page)
			if err != nil {
				continue
			}
			text, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			_ = os.WriteFile(filepath.Join(h.Folder, p.name+"."+page), text, 0o644)
		}
		p.signal(syscall.SIGQUIT)
		<-p.done
	}
}
