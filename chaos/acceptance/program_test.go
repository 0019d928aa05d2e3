package acceptance

import (
	"bytes"
	"context"
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
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/sethvargo/go-retry"
)

// root is the folder of Tipoff.
const root = "../.."

// binary is the program under test.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildFolder, "tipoff")
	if out, err := exec.Command("go", "-C", root, "build", "-o", path, "./cmd/tipoff").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

var buildFolder string

func TestMain(m *testing.M) {
	var err error
	if buildFolder, err = os.MkdirTemp("", "tipoff-acceptance-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(buildFolder)
	os.Exit(code)
}

// process is a running tipoff.
type process struct {
	*testing.T
	cmd  *exec.Cmd
	log  lockedBuffer
	done chan struct{}
	url  string // where it listens
}

// lockedBuffer is a buffer that is written while it is read.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var listens = regexp.MustCompile(`msg=listening address=(\S+)`)

// launch starts the program in an environment that holds env, as NAME=value, and no
// other setting; it returns once the program listens.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{T: t, cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TIPOFF_ADDR=127.0.0.1:0"}, env...)
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("log of tipoff %s:\n%s", strings.Join(args, " "), &p.log)
		}
	})
	eventually(t, 30*time.Second, func() error {
		found := listens.FindStringSubmatch(p.log.String())
		if found == nil {
			return errors.New("tipoff does not listen")
		}
		p.url = found[1]
		return nil
	})
	return p
}

// ready waits until every part of the process is ready.
func (p *process) ready() *process {
	p.Helper()
	eventually(p.T, 60*time.Second, func() error {
		status, body, err := request("GET", p.url+"/readyz", nil)
		if err == nil && status != http.StatusOK {
			err = errors.New(body)
		}
		return err
	})
	return p
}

// stop ends the program as Ctrl-C does, and fails the test unless it ends within the
// five seconds that it promises.
func (p *process) stop() {
	p.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.Fatal(err)
	}
	select {
	case <-p.done:
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			p.Errorf("tipoff ended with status %d", code)
		}
	case <-time.After(5 * time.Second):
		p.Error("tipoff did not end within 5 s")
	}
}

// tool runs another command of the same program beside the process, as docker
// compose exec does, and returns what it prints.
func (p *process) tool(args ...string) string {
	p.Helper()
	cmd := exec.Command(p.cmd.Path, args...)
	cmd.Dir, cmd.Env = p.cmd.Dir, p.cmd.Env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		p.Fatalf("tipoff %v: %v\n%s%s", args, err, out, &errs)
	}
	return string(out)
}

// post posts a value and fails the test unless it is accepted.
func (p *process) post(path string, value any) {
	p.Helper()
	if status, body, err := request("POST", p.url+path, value); err != nil || status != http.StatusAccepted {
		p.Fatalf("POST %s: %d %s, %v", path, status, body, err)
	}
}

// eventually waits for a condition, which returns what is wrong until then.
func eventually(t *testing.T, patience time.Duration, holds func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var last error
	if err := retry.Do(ctx, retry.NewConstant(20*time.Millisecond), func(context.Context) error {
		last = holds()
		return retry.RetryableError(last)
	}); err != nil {
		t.Fatalf("after %s: %v", patience, last)
	}
}

var client = &http.Client{Timeout: 20 * time.Second}

// request sends value as JSON; nil: no body.
func request(method, url string, value any) (status int, body string, err error) {
	var sent []byte
	if value != nil {
		if sent, err = json.Marshal(value); err != nil {
			return 0, "", err
		}
	}
	q, err := http.NewRequest(method, url, bytes.NewReader(sent))
	if err != nil {
		return 0, "", err
	}
	q.Header.Set("Content-Type", "application/json")
	a, err := client.Do(q)
	if err != nil {
		return 0, "", err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	return a.StatusCode, string(b), err
}

// getJSON reads what comes back with status 200 into value.
func getJSON(url string, value any) error {
	status, body, err := request("GET", url, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", url, status, body)
	}
	return json.Unmarshal([]byte(body), value)
}
