package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tipoff/blackbox"
	"tipoff/node"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "tipoff-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(folder)
		binary = filepath.Join(folder, "tipoff")
		if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// process is a running tipoff.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	done chan struct{}
	url  string // where it listens

	mu  sync.Mutex
	log bytes.Buffer
	out bytes.Buffer
}

var listens = regexp.MustCompile(`msg=listening address=(\S+)`)

// launch starts the program in an empty environment but for env, which is
// NAME=value; it returns once the program listens.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: strings.Join(args, " "), done: make(chan struct{})}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TIPOFF_ADDR=127.0.0.1:0"}, env...)
	p.cmd.Stdout = p.writer(&p.out)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	go p.read(stderr, address)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("log of tipoff %s:\n%s", p.name, p.logged())
		}
	})
	select {
	case p.url = <-address:
	case <-p.done:
		t.Fatalf("tipoff %s ended: %s", p.name, p.logged())
	case <-time.After(30 * time.Second):
		t.Fatalf("tipoff %s does not listen: %s", p.name, p.logged())
	}
	return p
}

func (p *process) read(stderr io.Reader, address chan<- string) {
	defer close(p.done)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if found := listens.FindStringSubmatch(lines.Text()); found != nil {
			address <- found[1]
		}
		p.mu.Lock()
		p.log.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
	}
	_ = p.cmd.Wait()
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (p *process) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

func (p *process) writer(to *bytes.Buffer) io.Writer { return lockedWriter{&p.mu, to} }

type lockedWriter struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

func (w lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}

// stop ends the program as Ctrl-C does and wants it to end well, within the 5 s
// that it promises.
func (p *process) stop() {
	p.t.Helper()
	if code := p.end(os.Interrupt, 0); code != 0 {
		p.t.Errorf("tipoff %s ended with status %d: %s", p.name, code, p.logged())
	}
}

// end ends the program with a signal and wants it to end within the time that it
// drains and the 5 s that it promises; it returns the exit status.
func (p *process) end(signal os.Signal, drains time.Duration) int {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(drains + node.EndWithin):
		p.t.Errorf("tipoff %s did not end within %s", p.name, drains+node.EndWithin)
		p.kill()
	}
	p.t.Logf("tipoff %s ended after %s", p.name, time.Since(began).Round(time.Millisecond))
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) kill() {
	select {
	case <-p.done:
	default:
		_ = p.cmd.Process.Signal(syscall.SIGKILL)
		<-p.done
	}
}

// ready waits until every part of the process is.
func (p *process) ready() *process {
	p.t.Helper()
	blackbox.Eventually(p.t, 60*time.Second, func() error {
		status, body, err := blackbox.Get(p.url + "/readyz")
		if err == nil && status != http.StatusOK {
			err = errors.New(body)
		}
		return err
	})
	return p
}

// tool runs another command of the same program beside the process, as docker
// compose exec does, and wants it to end well.
func (p *process) tool(args ...string) string {
	p.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env = p.cmd.Dir, p.cmd.Env
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("tipoff %v: %v\n%s", args, err, out)
	}
	return string(out)
}
