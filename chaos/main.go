// Chaos proves that nothing is lost and nothing counts twice, by killing things. It
// runs the real program, each role in two processes, on a Kafka of three brokers and
// a MySQL that it starts itself, every connection through a proxy; posts bets as
// companies do and keeps its own account of the answers; and round by round kills,
// pauses and cuts off parts. After each round the quiet system is held against that
// account, by rules written here anew.
//
//	CHAOS_ROUNDS    how many rounds                 (10)
//	CHAOS_MINUTES   begin no round after so long    (no limit)
//	CHAOS_SEED      what chooses the disturbances   (of the clock)
//	CHAOS_FIRST     number of the first round       (1), to replay one that failed
//	CHAOS_OUTAGE   minutes; instead of what the seed chooses, all of Kafka is away so long
//	CHAOS_FOLDER    logs, data and the picture      (a new one in the temporary folder)
//	CHAOS_PORT      first of the ports used         (21000; some 2,000 from it on)
//	SERVICES_DIR    where Kafka and MySQL lie       (/tmp/tipoff-services)
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"

	"tipoff"
)

// root is the folder of Tipoff, as seen from the folder of this module, where the harness runs.
const root = ".."

// Times of a round.
const (
	roundLasts    = 6 * time.Second  // the load goes on at least so long
	recoverWithin = 90 * time.Second // else the round has failed
)

type harness struct {
	seed             uint64
	port             int
	outageMinutes    int
	folder, services string
	binary           string
	net              *network
	brokers          []*proc
	processes        []*process
	sql              *sql.DB
	ledger           *ledger
	started          time.Time
	marks            marks
	lags             []lagPoint
	kills            int
	asked            atomic.Int64
	probeEvents      []string
	recoveries       map[string][]time.Duration

	users, events, coupons, rejections, bettors, fixtures tape
	bettorValues, fixtureValues                           map[string][]byte

	mu     sync.Mutex
	faults []fault
	counts map[string]int
}

// fault is something that must not be.
type fault struct{ kind, text string }

func (h *harness) found(f fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[f.kind]++
	if h.faults = append(h.faults, f); len(h.faults) <= 20 {
		fmt.Fprintf(os.Stderr, "\n%s: %s\n", f.kind, f.text)
	}
}

func (h *harness) lost(format string, args ...any) {
	h.found(fault{"lost", fmt.Sprintf(format, args...)})
}
func (h *harness) twice(format string, args ...any) {
	h.found(fault{"twice", fmt.Sprintf(format, args...)})
}
func (h *harness) wrong(format string, args ...any) {
	h.found(fault{"wrong", fmt.Sprintf(format, args...)})
}

func newRandom(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
		os.Exit(1)
	}
}

func setting(name string, otherwise int) (int, error) {
	text := os.Getenv(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s: must be a whole number, is %q", name, text)
	}
	return n, nil
}

func run(ctx context.Context) (err error) {
	var numbers [6]int
	for i, s := range []struct {
		name      string
		otherwise int
	}{{"CHAOS_ROUNDS", 10}, {"CHAOS_MINUTES", 0}, {"CHAOS_SEED", int(time.Now().Unix())}, {"CHAOS_FIRST", 1}, {"CHAOS_PORT", 21000}, {"CHAOS_OUTAGE", 0}} {
		if numbers[i], err = setting(s.name, s.otherwise); err != nil {
			return err
		}
	}
	rounds, minutes, first := numbers[0], numbers[1], numbers[3]
	h := &harness{
		seed: uint64(numbers[2]), port: numbers[4], outageMinutes: numbers[5], folder: os.Getenv("CHAOS_FOLDER"), services: os.Getenv("SERVICES_DIR"),
		net: newNetwork(), ledger: newLedger(), started: time.Now(), counts: map[string]int{}, recoveries: map[string][]time.Duration{},
		bettorValues: map[string][]byte{}, fixtureValues: map[string][]byte{},
		users: tape{topic: tipoff.TopicUsers}, events: tape{topic: tipoff.TopicEvents}, coupons: tape{topic: tipoff.TopicCoupons},
		rejections: tape{topic: tipoff.TopicRejected}, bettors: tape{topic: tipoff.TableBettors}, fixtures: tape{topic: tipoff.TableFixtures},
	}
	if h.services == "" {
		h.services = "/tmp/tipoff-services"
	}
	defer func() {
		err = errors.Join(err, h.stopAll())
	}()
	if err := h.startAll(ctx); err != nil {
		return err
	}
	fmt.Printf("seed %d, logs in %s\n", h.seed, h.folder)
	h.started = time.Now()
	sampling, endSampling := context.WithCancel(ctx)
	var sampler sync.WaitGroup
	sampler.Go(func() { h.sample(sampling) })
	bar := progressbar.NewOptions(rounds, progressbar.OptionSetDescription("rounds"), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount())
	began, done := time.Now(), 0
	var state *fold
	for round := first; round < first+rounds; round++ {
		if minutes > 0 && time.Since(began) > time.Duration(minutes)*time.Minute {
			break
		}
		if state, err = h.round(ctx, round, state); err != nil {
			err = fmt.Errorf("round %d: %w", round, err)
			break
		}
		done++
		_ = bar.Add(1)
		if len(h.faults) > 0 {
			break
		}
	}
	if err != nil && ctx.Err() == nil {
		h.evidence()
	}
	endSampling()
	sampler.Wait()
	_ = bar.Exit()
	return errors.Join(err, h.report(done, first+done))
}

// round disturbs the system under load, lets it settle, and verifies.
func (h *harness) round(ctx context.Context, number int, before *fold) (*fold, error) {
	plan := h.plan(number)
	var said []string
	for _, d := range plan {
		said = append(said, fmt.Sprintf("%s: %s at %.1f s for %.1f s", d.kind, d.what, d.after.Seconds(), d.lasts.Seconds()))
	}
	fmt.Printf("\nround %d: %s\n", number, strings.Join(said, "; "))
	l := newLoad(h, number)
	loading, endLoad := context.WithCancel(ctx)
	watching, endWatch := context.WithCancel(ctx)
	defer endLoad()
	defer endWatch()
	var running, watchers sync.WaitGroup
	running.Go(func() { l.run(loading) })
	for _, api := range h.apis() {
		watchers.Go(func() { h.watch(watching, api, l, before, &h.asked) })
	}
	began := time.Now()
	from, err := h.disturb(ctx, plan)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, recoverWithin)
	defer cancel()
	if err := h.probe(within, number); err != nil {
		return nil, err
	}
	took := time.Since(from)
	last := plan[0]
	for _, d := range plan {
		if d.after+d.lasts > last.after+last.lasts {
			last = d
		}
	}
	if len(plan) == 1 || last.kills == 0 {
		h.recoveries[last.kind] = append(h.recoveries[last.kind], took)
	}
	h.recoveries["all"] = append(h.recoveries["all"], took)
	select {
	case <-time.After(time.Until(began.Add(roundLasts))):
	case <-ctx.Done():
	}
	if err := h.poison(number); err != nil {
		return nil, fmt.Errorf("post a poison record: %w", err)
	}
	endLoad()
	running.Wait()
	settling, cancelSettling := context.WithTimeout(ctx, recoverWithin)
	defer cancelSettling()
	posted := time.Since(began)
	if err := h.inSync(settling); err != nil {
		return nil, err
	}
	whole := time.Since(began)
	if err := h.quiet(settling); err != nil {
		return nil, err
	}
	settled := time.Since(began)
	endWatch()
	watchers.Wait()
	state, err := h.verify(ctx)
	if err != nil {
		return nil, err
	}
	answering, cancelAnswering := context.WithTimeout(ctx, 20*time.Second)
	defer cancelAnswering()
	h.sameAnswers(answering, state)
	fmt.Printf("round %d: recovered in %.1f s; posted after %.1f s, replicas in sync %.1f s, settled %.1f s, verified %.1f s; %d facts, lost=%d twice=%d wrong=%d\n",
		number, took.Seconds(), posted.Seconds(), whole.Seconds(), settled.Seconds(), time.Since(began).Seconds(), len(h.ledger.entries), h.counts["lost"], h.counts["twice"], h.counts["wrong"])
	return state, nil
}

func (h *harness) report(done, next int) error {
	counts := h.ledger.counts
	fmt.Printf("\nrounds=%d kills=%d facts=%d accepted=%d refused=%d unknown=%d repeats=%d recommendations=%d lost=%d twice=%d wrong=%d seed=%d\n",
		done, h.kills, len(h.ledger.entries), counts[accepted], counts[refused], counts[unknown], h.ledger.repeats, h.asked.Load(),
		h.counts["lost"], h.counts["twice"], h.counts["wrong"], h.seed)
	kinds := make([]string, 0, len(h.recoveries))
	for kind := range h.recoveries {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	fmt.Println("time to recover, s (from a kill, or from the end of another disturbance):   n   median    worst")
	for _, kind := range kinds {
		times := h.recoveries[kind]
		slices.Sort(times)
		fmt.Printf("  %-70s %5d %8.1f %8.1f\n", kind, len(times), times[len(times)/2].Seconds(), times[len(times)-1].Seconds())
	}
	picture, err := h.draw()
	if err == nil {
		fmt.Println("the picture:", picture)
	}
	if len(h.faults) > 0 {
		return fmt.Errorf("%d faults; again: CHAOS_SEED=%d CHAOS_FIRST=%d CHAOS_ROUNDS=1 make chaos", len(h.faults), h.seed, next-1)
	}
	return err
}

// startAll starts servers, then processes, and waits until all are ready.
func (h *harness) startAll(ctx context.Context) error {
	if h.folder == "" {
		folder, err := os.MkdirTemp("", "tipoff-chaos-")
		if err != nil {
			return err
		}
		h.folder = folder
	}
	if err := os.MkdirAll(h.folder, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(h.folder, 0o755); err != nil { // mysqld runs as another user
		return err
	}
	binary, err := filepath.Abs(filepath.Join(root, "bin", "tipoff"))
	if err != nil {
		return err
	}
	if h.binary = binary; exec.Command(binary, "--help").Run() != nil {
		return errors.New("bin/tipoff does not run: make build first, or use make chaos")
	}
	if err := h.service("install"); err != nil {
		return err
	}
	h.makeProcesses()
	if err := h.wireProcesses(); err != nil {
		return err
	}
	for b := range brokers {
		p, err := h.kafka(b, "MkU3OEVBNTcwNTJENDM2Qg")
		if err != nil {
			return err
		}
		h.brokers = append(h.brokers, p)
		if err := p.run(); err != nil {
			return err
		}
	}
	if err := h.startMySQL(); err != nil {
		return err
	}
	if h.sql, err = h.openDatabase(); err != nil {
		return err
	}
	starting, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := h.eventually(starting, "Kafka", func() error {
		client, err := h.client()
		if err != nil {
			return err
		}
		defer client.Close()
		if n := len(client.Brokers()); n < brokers {
			return fmt.Errorf("%d brokers", n)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, p := range h.processes {
		if !p.joining {
			if err := p.run(); err != nil {
				return err
			}
		}
	}
	for _, p := range h.processes[:regulars] {
		if err := h.eventually(starting, "start", func() error { return h.ready(p) }); err != nil {
			return err
		}
	}
	return h.inSync(starting)
}

// stopAll ends everything that was started.
func (h *harness) stopAll() error {
	for _, p := range h.processes {
		p.signal(syscall.SIGCONT)
		p.kill()
	}
	for _, b := range h.brokers {
		b.signal(syscall.SIGCONT)
		b.kill()
	}
	if h.sql == nil {
		return nil
	}
	_ = h.sql.Close()
	_ = h.signalMySQL(syscall.SIGCONT)
	return h.killMySQL()
}
