package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"tipoff/broker"
)

// child is the program itself in a process of its own: what it starts in, holds and
// allocates is not ours.
type child struct {
	cmd     *exec.Cmd
	url     string
	started time.Time
	ended   chan struct{}

	mu   sync.Mutex
	log  []string // the last lines
	each func(line string)
}

// childPatience is how long a child may take until it listens, is ready, and ends.
const childPatience = 10 * time.Minute

// keptLines are how many lines of a child's log an error quotes.
const keptLines = 10

var listens = regexp.MustCompile(`msg=listening address=(\S+)`)

// environment is that of a child on a folder: ours, without what names servers. config
// is a broker that it uses instead of one of its own; nil: it has its own.
func (b *bench) environment(folder string, config *broker.Config) []string {
	env := append(os.Environ(), "DATABASE_URL=", "SQLALCHEMY_DATABASE_URI=", "TIPOFF_ADDR=127.0.0.1:0", "TIPOFF_API_KEY=",
		"TIPOFF_LOG_FORMAT=text", "TIPOFF_LOG_LEVEL=info", "TIPOFF_DATA="+folder, "KAFKA_BOOTSTRAP_SERVERS=",
		"TIPOFF_PARTITIONS="+strconv.Itoa(b.settings.Partitions), "TIPOFF_RETENTION="+b.settings.Retention.String())
	if config != nil {
		env = append(env, "KAFKA_BOOTSTRAP_SERVERS="+strings.Join(config.Brokers, ","), "KAFKA_SECURITY_PROTOCOL="+config.SecurityProtocol,
			"KAFKA_SASL_MECHANISM="+config.SASLMechanism, "KAFKA_SASL_USERNAME="+config.SASLUsername, "KAFKA_SASL_PASSWORD="+config.SASLPassword)
	}
	return env
}

// startChild starts a mode of the program and returns when it listens. each, unless nil,
// is told every line that it logs. It is killed when ctx ends.
func startChild(ctx context.Context, env []string, folder string, each func(line string), mode ...string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program, to start it again: %w", err)
	}
	c := &child{cmd: exec.CommandContext(ctx, program, mode...), ended: make(chan struct{}), each: each}
	c.cmd.Env, c.cmd.Dir = env, folder // a .env of ours is none of its
	out, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	c.started = time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	listening := make(chan string, 1)
	go c.follow(out, listening)
	select {
	case c.url = <-listening:
		return c, nil
	case <-c.ended:
	case <-time.After(childPatience):
		err = errors.New("it did not listen in time")
	}
	return nil, errors.Join(err, c.kill(), fmt.Errorf("tipoff %s ended: %s", strings.Join(mode, " "), c.said()))
}

// follow reads what the child logs until it ends.
func (c *child) follow(out io.Reader, listening chan<- string) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if found := listens.FindStringSubmatch(line); found != nil {
			select {
			case listening <- found[1]:
			default:
			}
		}
		c.mu.Lock()
		c.log = append(c.log[max(0, len(c.log)-keptLines+1):], line)
		each := c.each
		c.mu.Unlock()
		if each != nil {
			each(line)
		}
	}
	_, _ = io.Copy(io.Discard, out) // after a line that is too long
	_ = c.cmd.Wait()
	close(c.ended)
}

// said are the last lines of the child's log.
func (c *child) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.log, "\n")
}

// readyEvery is how often a child is asked whether it is ready.
const readyEvery = 10 * time.Millisecond

// ready waits until the child is, and returns how long after its start that was.
func (c *child) ready(ctx context.Context) (time.Duration, error) {
	for time.Since(c.started) < childPatience {
		status, _, err := fasthttp.Get(nil, c.url+"/readyz")
		if err == nil && status == fasthttp.StatusOK {
			return time.Since(c.started), nil
		}
		select {
		case <-c.ended:
			return 0, fmt.Errorf("the process ended: %s", c.said())
		default:
		}
		if !until(ctx, time.Now().Add(readyEvery)) {
			return 0, ctx.Err()
		}
	}
	return 0, fmt.Errorf("not ready after %s: %s", childPatience, c.said())
}

// end asks the child to end, without draining, and waits for it.
func (c *child) end() error {
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-c.ended:
		return nil
	case <-time.After(childPatience):
		return errors.Join(errors.New("a process did not end"), c.kill())
	}
}

// kill ends the child as kill -9 does.
func (c *child) kill() error {
	err := c.cmd.Process.Signal(syscall.SIGKILL)
	<-c.ended
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return err
}

// resident is the memory that the child holds, in bytes; 0: not known here.
func (c *child) resident() int64 {
	return kibibytes(valueIn(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid), "VmRSS"))
}

// metric is the value of a metric without labels that the child serves.
func (c *child) metric(name string) (float64, error) { return metricAt(c.url, name) }

// metricAt is the value of a metric without labels that a process serves.
func metricAt(url, name string) (float64, error) {
	_, page, err := fasthttp.Get(nil, url+"/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(page)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("the process has no metric %s", name)
}
