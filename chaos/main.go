// Chaos shows that nothing is lost and nothing counts twice, by killing things. It
// runs the real program, each role in two processes, on a Kafka of three brokers and
// a MySQL that it starts itself, every connection through a proxy; posts bets as
// companies do and keeps its own account of the responses; and round by round kills,
// pauses and cuts off parts. After each round it compares the quiet system with that
// account, and with what the oracle makes of the topics.
//
// It runs in the folder of its module, on bin/tipoff of the folder above.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"

	"tipoff/oracle"
	"tipoff/topics"
)

// root is the folder of Tipoff, from the folder of this module.
const root = ".."

type settings struct {
	Rounds   int    `env:"CHAOS_ROUNDS" default:"10" help:"How many rounds."`
	Minutes  int    `env:"CHAOS_MINUTES" help:"Begin no round after so many minutes; 0: no limit."`
	Seed     uint64 `env:"CHAOS_SEED" help:"Chooses the disturbances; 0: the clock chooses it."`
	First    int    `env:"CHAOS_FIRST" default:"1" help:"Number of the first round, to repeat one that failed."`
	Outage   int    `env:"CHAOS_OUTAGE" help:"All of Kafka is away for so many minutes, in place of what the seed chooses."`
	Folder   string `env:"CHAOS_FOLDER" type:"path" help:"For logs, data and the picture; unset: a new one in the temporary folder."`
	Port     int    `env:"CHAOS_PORT" default:"21000" help:"First of the ports used, some 2,000 from it on."`
	Services string `env:"SERVICES_DIR" type:"path" default:"/tmp/tipoff-services" help:"Where Kafka and MySQL lie."`
}

type harness struct {
	settings
	binary      string
	net         *network
	brokers     []*proc
	processes   []*process
	sql         *sql.DB
	ledger      *ledger
	started     time.Time
	marks       marks
	lags        []lagPoint
	kills       int
	asked       atomic.Int64
	probeEvents []string
	recoveries  map[string][]time.Duration

	users, events, coupons, rejections, bettors, fixtures tape
	tables                                                oracle.Tables

	mu     sync.Mutex
	faults []oracle.Difference
	counts map[oracle.Kind]int
}

func newHarness(s settings) *harness {
	return &harness{
		settings: s, net: newNetwork(), ledger: newLedger(), started: time.Now(),
		recoveries: map[string][]time.Duration{}, counts: map[oracle.Kind]int{},
		users: tape{topic: topics.Users}, events: tape{topic: topics.Events}, coupons: tape{topic: topics.Coupons},
		rejections: tape{topic: topics.Rejected}, bettors: tape{topic: topics.TableBettors}, fixtures: tape{topic: topics.TableFixtures},
		tables: oracle.Tables{Bettors: map[string][]byte{}, Fixtures: map[string][]byte{}},
	}
}

// found notes something that must not be.
func (h *harness) found(d oracle.Difference) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[d.Kind]++
	if h.faults = append(h.faults, d); len(h.faults) <= 20 {
		fmt.Fprintf(os.Stderr, "\n%s\n", d)
	}
}

func (h *harness) lost(format string, args ...any) {
	h.found(oracle.Difference{Kind: oracle.Lost, Text: fmt.Sprintf(format, args...)})
}

func (h *harness) twice(format string, args ...any) {
	h.found(oracle.Difference{Kind: oracle.Twice, Text: fmt.Sprintf(format, args...)})
}

func (h *harness) wrong(format string, args ...any) {
	h.found(oracle.Difference{Kind: oracle.Wrong, Text: fmt.Sprintf(format, args...)})
}

func newRandom(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

func main() {
	var s settings
	kong.Parse(&s, kong.Name("chaos"), kong.Description("Kills everything in turn, and checks that nothing is lost or counts twice."))
	if s.Seed == 0 {
		s.Seed = uint64(time.Now().Unix())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newHarness(s).run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
		os.Exit(1)
	}
}

func (h *harness) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, h.stopAll()) }()
	if err := h.startAll(ctx); err != nil {
		return err
	}
	fmt.Printf("seed %d, logs in %s\n", h.Seed, h.Folder)
	h.started = time.Now()
	sampling, endSampling := context.WithCancel(ctx)
	var sampler sync.WaitGroup
	sampler.Go(func() { h.sample(sampling) })
	done, err := h.rounds(ctx)
	if err != nil && ctx.Err() == nil {
		h.keepEvidence()
	}
	endSampling()
	sampler.Wait()
	return errors.Join(err, h.report(done, h.First+done))
}

// rounds runs rounds until all are done, the time is over, or one finds a fault.
func (h *harness) rounds(ctx context.Context) (done int, err error) {
	bar := progressbar.NewOptions(h.Rounds, progressbar.OptionSetDescription("rounds"), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount())
	defer func() { _ = bar.Exit() }()
	began := time.Now()
	var facts *oracle.Facts
	for ; done < h.Rounds && len(h.faults) == 0; done++ {
		if h.Minutes > 0 && time.Since(began) > time.Duration(h.Minutes)*time.Minute {
			break
		}
		round := h.First + done
		if facts, err = h.round(ctx, round, facts); err != nil {
			return done, fmt.Errorf("round %d: %w", round, err)
		}
		_ = bar.Add(1)
	}
	return done, nil
}
