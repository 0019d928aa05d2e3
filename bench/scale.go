package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"tipoff/broker"
	"tipoff/rebuild"
	"tipoff/topics"
)

// oneCore limits a child to one core, so that two of them may use twice as much as one.
const oneCore = "GOMAXPROCS=1"

// scalesFrom is how many cores two children, the broker and the load need for a rate to
// say how well two work beside each other.
const scalesFrom = 4

// scaling is where children with a role each work beside each other.
type scaling struct {
	*bench
	on      *home
	config  broker.Config
	cluster *broker.Cluster
}

// scale compares two processes of a role with one, each on one core: processors by the
// CPU time of a coupon, gateways that share the bettors by that of a lookup.
func (b *bench) scale(ctx context.Context) (err error) {
	if err := b.stopShared(); err != nil {
		return err
	}
	s, closeIt, err := b.scaling(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeIt()) }()
	return errors.Join(s.processors(ctx), s.gateways(ctx))
}

// scaling prepares a home on the Kafka that the settings name, or on a broker in this
// process.
func (b *bench) scaling(ctx context.Context) (s *scaling, closeIt func() error, err error) {
	s, closeIt = &scaling{bench: b}, func() error { return nil }
	if k := b.settings.Kafka; b.settings.Embedded() {
		served, err := b.serve(ctx, b.large())
		if err != nil {
			return nil, nil, err
		}
		s.on, s.config, closeIt = served.home, served.embedded.Config(), served.close
	} else {
		if s.on, err = b.home(ctx, b.large()); err != nil {
			return nil, nil, err
		}
		s.config = broker.Config{Brokers: strings.Split(k.Brokers, ","), SecurityProtocol: k.SecurityProtocol,
			SASLMechanism: k.SASLMechanism, SASLUsername: k.SASLUsername, SASLPassword: k.SASLPassword, CALocation: k.CALocation, CertLocation: k.CertLocation, KeyLocation: k.KeyLocation}
	}
	err = os.MkdirAll(s.on.folder, 0o700)
	if err == nil {
		s.cluster, err = broker.Connect(ctx, s.config, b.settings.Layout(), slog.New(slog.DiscardHandler))
	}
	if err != nil {
		return nil, nil, errors.Join(err, closeIt())
	}
	end := closeIt
	return s, func() error { return errors.Join(s.cluster.Close(), end()) }, nil
}

// team is children that work beside each other.
type team []*child

// start starts a child of a role for each of the settings, and returns when all are
// ready, also the first after the last has joined its group.
func (s *scaling) start(ctx context.Context, role string, settings ...[]string) (all team, err error) {
	for _, more := range settings {
		env := append(s.environment(s.on.folder, &s.config), oneCore)
		c, err := startChild(ctx, append(env, more...), s.on.folder, nil, role)
		if err != nil {
			return nil, errors.Join(err, all.end())
		}
		all = append(all, c)
	}
	for range 2 {
		for _, c := range all {
			if _, err := c.ready(ctx); err != nil {
				return nil, errors.Join(err, all.end())
			}
		}
	}
	return all, nil
}

func (t team) end() (err error) {
	for _, c := range t {
		err = errors.Join(err, c.end())
	}
	return err
}

// cpu is the CPU time that the children have used, in seconds.
func (t team) cpu() (all float64, err error) {
	for _, c := range t {
		used, again := c.metric("process_cpu_seconds_total")
		all, err = all+used, errors.Join(err, again)
	}
	return all, err
}

// held is the resident memory of one of the children, in MB: their mean.
func (t team) held() (all float64) {
	for _, c := range t {
		all += float64(c.resident()) / 1e6
	}
	return all / float64(len(t))
}

// processors measures coupons through one and two processors.
func (s *scaling) processors(ctx context.Context) error {
	bets := s.on.slips()
	with := func(processes int) side {
		return func(ctx context.Context) (figures, error) {
			t, err := s.start(ctx, "processors", make([][]string, processes)...)
			if err != nil {
				return nil, err
			}
			got, err := s.worked(ctx, t, bets)
			return got, errors.Join(err, t.end())
		}
	}
	rate := figure{name: "rate", what: "coupons through both tables' processors", unit: "coupons/s"}
	if runtime.GOMAXPROCS(0) >= scalesFrom {
		rate.reach = []Reach{atLeast(1.7)}
	} else {
		s.leaveOut("scale", fmt.Sprintf("how much more two processors do than one says nothing on %d cores, which broker and load need too: run it on %d", runtime.GOMAXPROCS(0), scalesFrom))
	}
	return s.turns(ctx, comparison{
		row: "scale", against: "one process, on one core", tipoff: with(2), other: with(1),
		figures: []figure{{name: "cpu", what: "CPU time of two processors, on a core each, for a coupon", unit: "us", reach: []Reach{atMost(1.1)}}, rate,
			{name: "held", what: fmt.Sprintf("resident memory of one of them, %d bettors, %d events", s.on.bettors, s.on.size.events), unit: "MB"}},
	})
}

// worked publishes coupons and waits until the children have nothing left to read of them
// and of what follows from them.
func (s *scaling) worked(ctx context.Context, t team, bets *slips) (figures, error) {
	left := func() (int64, error) { return rebuild.Left(ctx, s.cluster, topics.TableSet{}) }
	if _, err := quiet(ctx, left); err != nil {
		return nil, err
	}
	before, err := t.cpu()
	if err != nil {
		return nil, err
	}
	publisher, err := s.cluster.NewPublisher(time.Minute)
	if err != nil {
		return nil, err
	}
	coupons, began := 2*s.wholeCoupons(), time.Now()
	for done := 0; done < coupons && err == nil; done += postSize {
		err = publisher.Publish(ctx, bets.records(postSize, time.Now()))
	}
	if err := errors.Join(err, publisher.Close()); err != nil {
		return nil, err
	}
	since, err := quiet(ctx, left)
	if err != nil {
		return nil, err
	}
	after, err := t.cpu()
	return figures{"cpu": (after - before) / float64(coupons) * 1e6, "rate": float64(coupons) / since.Sub(began).Seconds(), "held": t.held()}, err
}

// gateways measures lookups at one gateway, and at two that share the bettors.
func (s *scaling) gateways(ctx context.Context) error {
	with := func(processes int) side {
		return func(ctx context.Context) (figures, error) {
			settings, err := fleetOf(processes)
			if err != nil {
				return nil, err
			}
			t, err := s.start(ctx, "api", settings...)
			if err != nil {
				return nil, err
			}
			got, err := s.asked(ctx, t)
			return got, errors.Join(err, t.end())
		}
	}
	return s.turns(ctx, comparison{
		row: "scale", against: "one gateway, on one core", tipoff: with(2), other: with(1),
		figures: []figure{
			{name: "lookup cpu", what: "CPU time of two gateways that share the bettors, on a core each, for a lookup at either", unit: "us"},
			{name: "lookup rate", what: "lookups at both", unit: "requests/s"},
			{name: "memory", what: "resident memory of one of them, likewise", unit: "MB"},
		},
	})
}

// fleetOf is the settings of gateways that share the bettors, on ports that are free.
func fleetOf(processes int) (settings [][]string, err error) {
	var urls []string
	for i := range processes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		urls = append(urls, "http://"+l.Addr().String())
		settings = append(settings, []string{"TIPOFF_ADDR=" + l.Addr().String(), fmt.Sprint("TIPOFF_API_NODE=", i)})
	}
	for i := range settings {
		settings[i] = append(settings[i], "TIPOFF_API_NODES="+strings.Join(urls, ","))
	}
	return settings, nil
}

// asked has all gateways asked at once, each about all bettors in turn.
func (s *scaling) asked(ctx context.Context, t team) (figures, error) {
	before, err := t.cpu()
	if err != nil {
		return nil, err
	}
	var asking sync.WaitGroup
	all, failed := make([]*answers, len(t)), make([]error, len(t))
	for i, c := range t {
		asking.Go(func() {
			all[i], failed[i] = everyone(s.on.world).on(c.url, lookupConnections/len(t)).closed(ctx, s.lasts())
		})
	}
	asking.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	after, err := t.cpu()
	got := figures{"memory": t.held()}
	count := uint64(0)
	for _, a := range all {
		count += a.count
		got["lookup rate"] += a.rate()
	}
	got["lookup cpu"] = (after - before) / float64(count) * 1e6
	return got, err
}
