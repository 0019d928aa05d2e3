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

// AllRoles make one process a whole Tipoff.
var AllRoles = []Role{Processors, Sink, API, Learner}

// Time limits of the gateway.
const (
	publishPatience = 4500 * time.Millisecond // clients have their 503 within 5 s
	archivePatience = 3 * time.Second

	// EndWithin is how long a process may take to end.
	EndWithin = 5 * time.Second
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
	publisher *broker.Publisher
	views     atomic.Pointer[views.Views] // of the table set that serves
	api       atomic.Pointer[http.API]

	mu    sync.Mutex
	parts []*part
	ends  []end // in the order of starting
	fatal chan error
}

// Start starts a process with the roles. It returns once everything is on its
// way; /readyz says when it has arrived. On an error nothing is left running.
func Start(ctx context.Context, s *Settings, roles ...Role) (_ *Node, err error) {
	n := &Node{settings: s, log: s.log(), registry: prometheus.NewRegistry(), fatal: make(chan error, 16)}
	n.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), versionCollector(ThisVersion()))
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	has := map[Role]bool{}
	for _, r := range roles {
		has[r] = true
	}
	if err := s.Layout().Validate(); err != nil {
		return nil, err
	}
	connected := n.awaited("kafka")
	if err := n.startServer(has[API]); err != nil {
		return nil, err
	}
	if err := n.connect(ctx); err != nil {
		return nil, err
	}
	var db *sink.Database
	if has[Sink] || has[API] {
		if db, err = s.OpenDatabase(); err != nil {
			return nil, err
		}
		n.onEnd("database", db.Close)
	}
	if has[Sink] {
		n.startSink(db)
	}
	if has[Processors] || has[API] || has[Learner] {
		if err := n.startTableSets(has, db); err != nil {
			return nil, err
		}
	}
	connected("connected") // now that every part is there that must be ready too
	return n, nil
}

// startServer listens first, so that health can be asked for from the beginning.
func (n *Node) startServer(withAPI bool) error {
	o := http.Options{
		Addr: n.settings.Addr, Key: n.settings.APIKey, AllowedOrigins: n.settings.AllowedOrigins, AllowedHosts: n.settings.AllowedHosts,
		HideDocs: n.settings.HideDocs, Parts: n.Parts, Registry: n.registry, Log: n.log, AccessLog: n.settings.Requests,
	}
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
func (n *Node) connect(ctx context.Context) error {
	config := n.settings.config()
	if n.settings.Embedded() {
		embedded, err := broker.OpenEmbedded(n.settings.brokerFolder())
		if err != nil {
			return err
		}
		n.onEnd("embedded broker", embedded.Close)
		config = embedded.Config()
	}
	cluster, err := broker.Connect(ctx, config, n.settings.Layout(), n.log)
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
func (n *Node) startSink(db *sink.Database) {
	s := sink.New(db, n.cluster.TopicID, n.publisher, n.log)
	g := n.cluster.NewGroup(topics.GroupSink, topics.Facts(), s)
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
