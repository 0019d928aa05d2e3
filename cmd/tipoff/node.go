package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tipoff/broker"
	"tipoff/http"
	"tipoff/sink"
	"tipoff/topics"
	"tipoff/views"
)

// role is one of the four things a process can do. A process may have several.
type role int

const (
	roleProcessors role = iota
	roleSink
	roleAPI
	roleLearner
)

var allRoles = []role{roleProcessors, roleSink, roleAPI, roleLearner}

// Time limits of the gateway.
const (
	publishPatience = 4500 * time.Millisecond // clients have their 503 within 5 s
	archivePatience = 3 * time.Second
	endWithin       = 5 * time.Second // of the whole process
)

// node is a process with its roles. Facts take this way through it:
//
//	http ─> publisher ─> broker ─> processors ─> tables ─> views ─> http
//	                       │           └─> choices ─> learner ─> table ─┘
//	                       └─────> sink ─> database ─> archive ─> http
type node struct {
	settings  *settings
	log       *slog.Logger
	registry  *prometheus.Registry
	server    *http.Server
	cluster   *broker.Cluster
	publisher *broker.Publisher
	views     atomic.Pointer[views.Views] // of the build that serves
	api       atomic.Pointer[http.API]

	mu    sync.Mutex
	parts []*part
	ends  []end // in the order of starting
	fatal chan error
}

// end finishes one thing that was started.
type end struct {
	name   string
	finish func() error
}

// startNode starts a process with the roles. It returns once everything is on its
// way; /readyz says when it has arrived. On an error nothing is left running.
func startNode(ctx context.Context, s *settings, log *slog.Logger, roles ...role) (_ *node, err error) {
	n := &node{settings: s, log: log, registry: prometheus.NewRegistry(), fatal: make(chan error, 16)}
	n.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	has := map[role]bool{}
	for _, r := range roles {
		has[r] = true
	}
	if err := s.layout().Validate(); err != nil {
		return nil, err
	}
	connected := n.awaited("kafka")
	if err := n.startServer(has[roleAPI]); err != nil {
		return nil, err
	}
	if err := n.connect(ctx); err != nil {
		return nil, err
	}
	var db *sink.Database
	if has[roleSink] || has[roleAPI] {
		if db, err = s.database(); err != nil {
			return nil, err
		}
		n.onEnd("database", db.Close)
	}
	if has[roleSink] {
		n.startSink(db)
	}
	if has[roleProcessors] || has[roleAPI] || has[roleLearner] {
		if err := n.startBuilds(has, db); err != nil {
			return nil, err
		}
	}
	connected("connected") // now that every part is there that must be ready too
	return n, nil
}

// startServer listens first, so that health can be asked for from the beginning.
func (n *node) startServer(withAPI bool) error {
	o := http.Options{Addr: n.settings.Addr, Key: n.settings.APIKey, Parts: n.states, Registry: n.registry, Log: n.log}
	if withAPI {
		o.API = n.api.Load
	}
	server, err := http.Start(o)
	if err != nil {
		return err
	}
	n.server = server
	n.log.Info("listening", "address", server.URL())
	return nil
}

// connect reaches Kafka, or starts the broker inside this process.
func (n *node) connect(ctx context.Context) error {
	config := n.settings.broker()
	if n.settings.embedded() {
		embedded, err := broker.OpenEmbedded(filepath.Join(n.settings.Data, "broker"))
		if err != nil {
			return err
		}
		n.onEnd("embedded broker", embedded.Close)
		config.Brokers = embedded.Brokers()
	}
	cluster, err := broker.Connect(ctx, config, n.settings.layout(), n.log)
	if err != nil {
		return err
	}
	n.cluster = cluster
	n.onEnd("connection to Kafka", cluster.Close)
	publisher, err := cluster.NewPublisher(publishPatience)
	if err != nil {
		return err
	}
	n.publisher = publisher
	n.onEnd("publisher", publisher.Close)
	n.measurePublisher(publisher)
	return nil
}

// startSink mirrors as soon as the database has its schema; until then facts wait
// on the broker and everything else goes on.
func (n *node) startSink(db *sink.Database) {
	s := sink.New(db, n.cluster.TopicID, n.publisher, n.log)
	g := n.cluster.NewGroup(topics.GroupSink, sink.Topics(), s)
	n.part(topics.GroupSink, func() broker.State {
		state, progress := g.State(), s.Progress(time.Now())
		detail := "waits for the database"
		if progress.Migrated {
			detail = "the database does not take rows"
		}
		switch {
		case progress.Trouble != nil:
			return broker.State{Detail: fmt.Sprintf("%s: %v", detail, progress.Trouble), Lag: state.Lag}
		case !progress.Migrated:
			return broker.State{Detail: detail, Lag: state.Lag}
		}
		return state
	})
	n.registry.MustRegister(lagCollector(&g.Lag))
	n.measureSink(s)
	n.registry.MustRegister(restartsCollector(topics.GroupSink, g.Restarts))
	n.goRun(topics.GroupSink, func(ctx context.Context) error {
		if err := s.Migrate(ctx); err != nil {
			return err
		}
		return g.Run(ctx)
	})
}

// part adds something that must be ready before the process is; remove takes it out
// again.
func (n *node) part(name string, state func() broker.State) (remove func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := &part{name, state}
	n.parts = append(n.parts, p)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.parts = slices.DeleteFunc(n.parts, func(other *part) bool { return other == p })
	}
}

// part is something that must be ready.
type part struct {
	name  string
	state func() broker.State
}

// awaited adds a part that is ready once the returned function was called.
func (n *node) awaited(name string) (done func(detail string)) {
	var reached atomic.Pointer[string]
	n.part(name, func() broker.State {
		if detail := reached.Load(); detail != nil {
			return broker.State{Ready: true, Detail: *detail}
		}
		return broker.State{Detail: "waits"}
	})
	return func(detail string) { reached.Store(&detail) }
}

func (n *node) states() []http.Part {
	n.mu.Lock()
	defer n.mu.Unlock()
	states := make([]http.Part, len(n.parts))
	for i, p := range n.parts {
		s := p.state()
		states[i] = http.Part{Name: p.name, Ready: s.Ready, Detail: s.Detail, Lag: s.Lag}
	}
	return states
}

// ready waits until every part is, or ctx ends.
func (n *node) ready(ctx context.Context) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		waiting := ""
		for _, part := range n.states() {
			if !part.Ready {
				waiting = part.Name + ": " + part.Detail
			}
		}
		if waiting == "" {
			return nil
		}
		select {
		case <-ticker.C:
		case err := <-n.fatal:
			return err
		case <-ctx.Done():
			return fmt.Errorf("not ready: %s: %w", waiting, ctx.Err())
		}
	}
}

func (n *node) onEnd(name string, finish func() error) {
	n.ends = append(n.ends, end{name, finish})
}

// goRun runs something until the node ends; should it fail, the node does.
func (n *node) goRun(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := run(ctx); err != nil && ctx.Err() == nil {
			n.fatal <- fmt.Errorf("%s: %w", name, err)
		}
	}()
	n.onEnd(name, func() error {
		cancel()
		<-done
		return nil
	})
}

// wait returns when ctx has ended, or something failed for good.
func (n *node) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.fatal:
		return err
	}
}

// close drains: first the gateway finishes its requests, then everything ends in
// the reverse order of its start, each with what was handed to it.
func (n *node) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), endWithin-500*time.Millisecond)
	defer cancel()
	var errs []error
	if n.server != nil {
		serving, cancel := context.WithTimeout(ctx, endWithin/4)
		if err := n.server.Close(serving); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			errs = append(errs, fmt.Errorf("gateway: %w", err))
		}
		cancel()
	}
	for i := len(n.ends) - 1; i >= 0; i-- {
		if err := n.ends[i].within(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", n.ends[i].name, err))
		}
	}
	return errors.Join(errs...)
}

// within finishes, or gives up when ctx ends: a broker that is away must not keep
// the process.
func (e end) within(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- e.finish() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errors.New("did not end in time")
	}
}
