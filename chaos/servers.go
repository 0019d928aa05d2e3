package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/IBM/sarama"
	_ "github.com/go-sql-driver/mysql"
)

const brokers = 3

// proc is a process that is killed, paused and started again.
type proc struct {
	name  string
	start func() (*exec.Cmd, error)
	cmd   *exec.Cmd
	done  chan struct{}
}

func (p *proc) run() error {
	cmd, err := p.start()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd, p.done = cmd, make(chan struct{})
	go func(done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(p.done)
	return nil
}

func (p *proc) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// signal sends s, to the whole of mysqld's or a role's process.
func (p *proc) signal(s syscall.Signal) {
	if p.running() {
		_ = p.cmd.Process.Signal(s)
	}
}

func (p *proc) kill() {
	if p.running() {
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// endWithin is the five seconds that the program promises, and some for a machine
// that is busy with all of this.
const endWithin = 8 * time.Second

// end asks the process to end, and makes it when it does not.
func (p *proc) end() (clean bool) {
	if !p.running() {
		return true
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.done:
		return true
	case <-time.After(endWithin):
		p.kill()
		return false
	}
}

// logTo opens a process's log for appending.
func (h *harness) logTo(name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(h.Folder, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
}

// kafka prepares broker number b, 0 to 2.
func (h *harness) kafka(b int, id string) (*proc, error) {
	listeners, err := h.listeners(b)
	if err != nil {
		return nil, err
	}
	home := filepath.Join(h.Folder, fmt.Sprintf("broker-%d", b+1))
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	var voters []string
	for v := range brokers {
		voters = append(voters, fmt.Sprintf("%d@%s", v+1, address(h.Port+portBroker+100*v+2)))
	}
	file := filepath.Join(home, "server.properties")
	text := listeners + fmt.Sprintf(brokerSettings, b+1, strings.Join(voters, ","), filepath.Join(home, "log"))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, err
	}
	java := func(arguments ...string) *exec.Cmd {
		return exec.Command("java", append([]string{"-cp", filepath.Join(h.Services, "kafka", "libs", "*")}, arguments...)...)
	}
	if out, err := java("kafka.tools.StorageTool", "format", "-t", id, "-c", file).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("format broker %d: %w\n%s", b+1, err, out)
	}
	p := &proc{name: fmt.Sprintf("broker-%d", b+1)}
	p.start = func() (*exec.Cmd, error) {
		cmd := java("-Xmx512m", "kafka.Kafka", file)
		log, err := h.logTo(p.name)
		cmd.Stdout, cmd.Stderr = log, log
		return cmd, err
	}
	return p, nil
}

// brokerSettings take the broker's number, the voters and its folder. Network threads
// are of each listener.
const brokerSettings = `process.roles=broker,controller
node.id=%d
controller.quorum.voters=%s
controller.listener.names=CONTROLLERS
inter.broker.listener.name=BROKERS
log.dirs=%s
offsets.topic.replication.factor=3
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
min.insync.replicas=2
default.replication.factor=3
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
num.network.threads=1
num.io.threads=4
`

// listeners returns a broker's settings of its listeners, and lays the wires to them.
// Every process of the system under test has a listener of its own, whose advertised
// address is a proxy's.
func (h *harness) listeners(b int) (string, error) {
	base := h.Port + portBroker + 100*b
	listeners := []string{"PLAIN://" + address(base), "BROKERS://" + address(base+1), "CONTROLLERS://" + address(base+2)}
	advertised := []string{"PLAIN://" + address(base), "BROKERS://" + address(base+1+proxied)}
	protocols := []string{"PLAIN:PLAINTEXT", "BROKERS:PLAINTEXT", "CONTROLLERS:PLAINTEXT"}
	if err := h.net.wire(fmt.Sprintf("brokers>broker-%d", b+1), base+1+proxied, base+1); err != nil {
		return "", err
	}
	for i, p := range h.processes {
		name, port := fmt.Sprintf("P%d", i), base+10+i
		listeners = append(listeners, name+"://"+address(port))
		advertised = append(advertised, name+"://"+address(port+proxied))
		protocols = append(protocols, name+":PLAINTEXT")
		if err := h.net.wire(fmt.Sprintf("%s>broker-%d", p.name, b+1), port+proxied, port); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("listeners=%s\nadvertised.listeners=%s\nlistener.security.protocol.map=%s\n",
		strings.Join(listeners, ","), strings.Join(advertised, ","), strings.Join(protocols, ",")), nil
}

// service runs deploy/local/services.sh with its own data.
func (h *harness) service(verb string) error {
	cmd := exec.Command(filepath.Join(root, "deploy", "local", "services.sh"), verb)
	cmd.Env = append(os.Environ(), "SERVICES_DIR="+h.Services, "DATA_DIR="+h.Folder, fmt.Sprintf("MYSQL_PORT=%d", h.Port+portMySQL))
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// mysqld is the number of the server's process.
func (h *harness) mysqld() (int, error) {
	text, err := os.ReadFile(filepath.Join(h.Folder, "mysql", "pid"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// startMySQL starts the server unless it runs.
func (h *harness) startMySQL() error { return h.service("mysql") }

func (h *harness) signalMySQL(s syscall.Signal) error {
	pid, err := h.mysqld()
	if err != nil {
		return err
	}
	return syscall.Kill(pid, s)
}

// killMySQL returns once nobody listens any more.
func (h *harness) killMySQL() error {
	if err := h.signalMySQL(syscall.SIGKILL); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return eventually(ctx, "MySQL killed", func() error {
		c, err := net.Dial("tcp", address(h.Port+portMySQL))
		if err != nil {
			return nil
		}
		return errors.Join(errors.New("it still listens"), c.Close())
	})
}

func (h *harness) plainBrokers() (list []string) {
	for b := range brokers {
		list = append(list, address(h.Port+portBroker+100*b))
	}
	return list
}

// client reaches the brokers without proxies.
func (h *harness) client() (sarama.Client, error) {
	config := sarama.NewConfig()
	config.Version = sarama.V3_0_0_0
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Metadata.Retry.Max = 20
	config.Consumer.MaxWaitTime = 20 * time.Millisecond
	return sarama.NewClient(h.plainBrokers(), config)
}

// inSync waits until every partition has all its replicas, so that the next fault
// meets a whole cluster.
func (h *harness) inSync(ctx context.Context) error {
	return eventually(ctx, "all replicas in sync", func() error {
		client, err := h.client()
		if err != nil {
			return err
		}
		defer client.Close()
		topics, err := client.Topics()
		if err != nil {
			return err
		}
		for _, topic := range topics {
			partitions, err := client.Partitions(topic)
			if err != nil {
				return err
			}
			for _, p := range partitions {
				if in, err := client.InSyncReplicas(topic, p); err != nil || len(in) < brokers {
					return fmt.Errorf("%s/%d has %d replicas in sync: %v", topic, p, len(in), err)
				}
			}
		}
		return nil
	})
}

func (h *harness) openDatabase() (*sql.DB, error) {
	return sql.Open("mysql", fmt.Sprintf("tipoff:tipoff@tcp(%s)/tipoff?parseTime=true&loc=UTC&timeout=5s&readTimeout=60s", address(h.Port+portMySQL)))
}
