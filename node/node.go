// Package node is a process with its roles: its settings, what it starts for each
// role and in which order, when it is ready, what it measures, and how it ends.
//
// Everything else in Tipoff is given what it needs; here it is put together. A node
// works in any process, on port 0 and a folder of its own too, which is how tests run
// whole Tipoffs. Which table sets it works on it learns from the control topic, while
// it runs; see tableSets.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tipoff/broker"
	"tipoff/http"
	"tipoff/sink"
	"tipoff/topics"
	"tipoff/trace"
	"tipoff/views"
)

// Role is one of the four things a process can do. A process may have several.
type Role int

const (
	Processors Role = iota
	Sink
	API
	Learner
)

// String is the mode of the command line that runs the role alone.
func (r Role) String() string {
	return [...]string{Processors: "processors", Sink: "sink", API: "api", Learner: "learner"}[r]
}

// AllRoles make one process a whole Tipoff.
var AllRoles = []Role{Processors, Sink, API, Learner}

// Time limits of the gateway.
const (
	publishPatience = 4500 * time.Millisecond // clients have their 503 within 5 s
	archivePatience = 3 * time.Second

	// EndWithin is how long a process may take to end, after it has drained.
	EndWithin = 5 * time.Second

	// startGrace is how long a start that is no longer wanted has to end in order.
	startGrace = 500 * time.Millisecond
)

// Node is a process with its roles. Facts take this way through it:
//
//	http ─> publisher ─> broker ─> processors ─> tables ─> views ─> http
//	                       │           └─> choices ─> learner ─> table ─┘
//	                       └─────> sink ─> database ─> archive ─> http
type Node struct {
	settings  *Settings
	log       *slog.Logger
	registry  *prometheus.Registry
	server    *http.Server
	cluster   *broker.Cluster
	embedded  *broker.Embedded // nil: Kafka is outside
	publisher *broker.Publisher
	views     atomic.Pointer[views.Views] // of the table set that serves
	api       atomic.Pointer[http.API]
	pulse     atomic.Pointer[broker.Pulse]
	gateway   bool
	tracer    *trace.Tracer // nil: nothing is traced
	status    status
	journeys  journeys

	mu    sync.Mutex
	parts []*part
	ends  []end // in the order of starting
	ended bool
	fatal chan error
}

// Start starts a process with the roles. It returns once everything is on its
// way; /readyz says when it has arrived. On an error nothing is left running. When ctx
// ends first, what still waits for a broker that does not answer is left to give up by
// itself, as Kafka's client cannot be told to.
func Start(ctx context.Context, s *Settings, roles ...Role) (*Node, error) {
	n := &Node{settings: s, log: s.log(), registry: prometheus.NewRegistry(), fatal: make(chan error, 16)}
	n.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), versionCollector(ThisVersion()))
	has := map[Role]bool{}
	for _, r := range roles {
		has[r] = true
	}
	n.gateway = has[API]
	n.status.started, n.status.role = time.Now(), roleOf(roles)
	n.measureProcess(has)
	if err := errors.Join(s.Layout().Validate(), s.Fleet.Validate()); err != nil {
		return nil, err
	}
	if err := n.startTracing(); err != nil {
		return nil, err
	}
	n.kafka()
	if n.gateway {
		n.showGateway()
	}
	n.Go("collector of garbage", n.tendCollector)
	n.Go("look at the parts", n.look)
	if err := n.startServer(has[API]); err != nil {
		return nil, errors.Join(err, n.close())
	}
	if err := n.startDebug(); err != nil {
		return nil, errors.Join(err, n.close())
	}
	started := make(chan error, 1)
	go func() { started <- n.start(ctx, has) }()
	if err := unlessEnded(ctx, started); err != nil {
		return nil, errors.Join(err, n.close())
	}
	pulse := n.cluster.NewPulse(n.publisher)
	if n.settings.Embedded() {
		pulse.Folder = n.settings.brokerFolder()
	}
	n.Go("pulse of Kafka", pulse.Run)
	n.pulse.Store(pulse) // now that every part is there that must be ready too
	return n, nil
}

// unlessEnded waits for a start, but not for long once ctx has ended.
func unlessEnded(ctx context.Context, started <-chan error) error {
	select {
	case err := <-started:
		return err
	case <-ctx.Done():
	}
	select {
	case <-started:
	case <-time.After(startGrace):
	}
	return fmt.Errorf("asked to end before everything was started: %w", ctx.Err())
}

// start starts what needs the broker.
func (n *Node) start(ctx context.Context, has map[Role]bool) (err error) {
	if err := n.connect(ctx); err != nil {
		return err
	}
	var db *sink.Database
	if has[Sink] || has[API] {
		if db, err = n.settings.OpenDatabase(); err != nil {
			return err
		}
		n.onEnd("database", db.Close)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if has[Sink] {
		if err := n.compareWithDatabase(ctx, db); err != nil {
			return err
		}
		n.startSink(db)
	}
	if has[Processors] || has[API] || has[Learner] {
		return n.startTableSets(ctx, has, db)
	}
	return nil
}

// startServer listens first, so that health can be asked for from the beginning.
func (n *Node) startServer(withAPI bool) error {
	o := http.Options{
		Addr: n.settings.Addr, Key: n.settings.APIKey, AllowedOrigins: n.settings.AllowedOrigins, AllowedHosts: n.settings.AllowedHosts,
		HideDocs: n.settings.HideDocs, Readiness: n.Readiness, Status: n.Status, Registry: n.registry, Log: n.log, AccessLog: n.settings.Requests, Tracer: n.tracer,
	}
	if withAPI {
		o.API, o.Fleet = n.api.Load, n.settings.Fleet.http()
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
func (n *Node) connect(ctx context.Context) error {
	config := n.settings.config()
	if n.settings.Embedded() {
		embedded, err := broker.OpenEmbedded(ctx, n.settings.brokerFolder(), n.settings.Sync, tableValues)
		if err != nil {
			return err
		}
		n.onEnd("embedded broker", embedded.Close)
		config = embedded.Config()
		n.embedded = embedded
	}
	cluster, err := broker.Connect(ctx, config, n.settings.Layout(), n.log)
	if err != nil {
		return err
	}
	n.cluster = cluster
	cluster.Trace(n.tracer)
	n.watchLogs()
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
func (n *Node) startSink(db *sink.Database) {
	s := sink.New(db, n.cluster.Reader(topics.GroupSink), n.publisher, n.log)
	s.Tracer = n.tracer
	s.Saved = n.journeys.saved
	g := n.cluster.NewGroup(topics.GroupSink, topics.Facts(), s)
	n.part(topics.GroupSink, func() broker.State {
		state, progress := g.State(), s.Progress(time.Now())
		detail := "waits for the database"
		if progress.Migrated {
			detail = "the database does not take rows"
		}
		switch {
		case progress.Trouble != nil:
			return broker.State{Failing: true, Detail: fmt.Sprintf("%s: %v", detail, progress.Trouble), Lag: state.Lag, Looked: state.Looked, Oldest: progress.Unsaved}
		case !progress.Migrated:
			return broker.State{Detail: detail, Lag: state.Lag, Looked: state.Looked}
		}
		state.Oldest = progress.Unsaved
		return state
	})
	n.showDatabase(s)
	n.flows(&g.Lag)
	n.rejects(func() (all int64) {
		for _, rejected := range s.Progress(time.Now()).Rejected {
			all += rejected
		}
		return all
	})
	n.registry.MustRegister(lagCollector(&g.Lag))
	n.measureSink(s)
	n.registry.MustRegister(restartsCollector(topics.GroupSink, g.Restarts))
	n.Go(topics.GroupSink, func(ctx context.Context) error {
		if err := s.Migrate(ctx); err != nil {
			return err
		}
		return g.Run(ctx)
	})
}

// URL is where the node listens.
func (n *Node) URL() string { return n.server.URL() }

// Cluster is the node's connection to Kafka, or to the broker inside it.
func (n *Node) Cluster() *broker.Cluster { return n.cluster }

// Views are the tables in memory that the gateway answers from; nil: they are not
// known yet, or the node is no gateway.
func (n *Node) Views() *views.Views { return n.views.Load() }
