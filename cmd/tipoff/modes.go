package main

import (
	"context"
	"fmt"

	"tipoff/node"
)

// apiMode runs a gateway.
type apiMode struct{ node.Settings }

func (apiMode) Help() string {
	return `Listens on TIPOFF_ADDR, publishes what clients post to Kafka, and answers from
memory. Start as many as the load needs: each follows all tables and answers for
any user. Where the bettors do not fit one machine, TIPOFF_API_NODES shares them
between gateways, and any one still answers for any user. /readyz says when it has
caught up; /metrics, /docs and /openapi.yaml are there too.`
}

func (m *apiMode) Run(ctx context.Context, t *terminal) error {
	return runRole(ctx, t, m.Settings, node.API)
}

// beside has the settings of every role that runs beside others.
type beside struct {
	node.Address
	node.Access
	node.Browsers
	node.Debugging
	node.Kafka
	node.Topics
	node.Logs
	node.Tracing
}

func (b *beside) settings() node.Settings {
	return node.Settings{Address: b.Address, Access: b.Access, Browsers: b.Browsers, Debugging: b.Debugging, Kafka: b.Kafka, Topics: b.Topics, Logs: b.Logs, Tracing: b.Tracing}
}

// processorsMode runs the processors.
type processorsMode struct{ beside }

func (processorsMode) Help() string {
	return `Keeps the tables of bettors and fixtures. Start several, on as many machines as
there are partitions (TIPOFF_PARTITIONS): they share the partitions, and when one
ends the others take over what it had. TIPOFF_ADDR serves /healthz, /readyz and
/metrics.`
}

func (m *processorsMode) Run(ctx context.Context, t *terminal) error {
	return runRole(ctx, t, m.settings(), node.Processors)
}

// learnerMode runs the learner.
type learnerMode struct {
	beside
	node.Fleet
}

func (learnerMode) Help() string {
	return `Learns from every new coupon how to rank, a model a company, and measures how well
it had foreseen it (tipoff_live_... on the gateways' /metrics). It holds all tables
in memory, as a gateway does, and as a gateway's its share of the bettors where
TIPOFF_API_NODES is set. Start a second one to take over when the first ends;
without any, recommendations go on with what was learnt, or by a formula. TIPOFF_ADDR
serves /healthz, /readyz and /metrics.`
}

func (m *learnerMode) Run(ctx context.Context, t *terminal) error {
	s := m.settings()
	s.Fleet = m.Fleet
	return runRole(ctx, t, s, node.Learner)
}

// sinkMode runs the mirror.
type sinkMode struct {
	beside
	node.Folder
	node.Database
}

func (sinkMode) Help() string {
	return `Mirrors users, events and coupons into DATABASE_URL, whose schema it creates and
migrates. Start several to share the partitions. While the database is down facts
wait on Kafka. TIPOFF_ADDR serves /healthz, /readyz and /metrics.`
}

func (m *sinkMode) Run(ctx context.Context, t *terminal) error {
	s := m.settings()
	s.Folder, s.Database = m.Folder, m.Database
	return runRole(ctx, t, s, node.Sink)
}

// runRole runs a process of one role until ctx ends.
func runRole(ctx context.Context, t *terminal, s node.Settings, r node.Role) error {
	s.Log, s.Requests = s.Logger(t.errors), s.RequestLogger(t.out)
	if err := s.NeedsKafka(); err != nil {
		return err
	}
	outlastTerminal()
	n, err := node.Start(ctx, &s, r)
	if err != nil {
		return err
	}
	return n.Stop(n.Wait(ctx))
}

// healthMode asks for readiness, for health checks of images without a shell.
type healthMode struct {
	URL string `placeholder:"URL" help:"Address of the service (default: TIPOFF_ADDR of this machine)."`
	node.Address
	node.Access
}

func (healthMode) Help() string {
	return `Asks /readyz and says what it returns: with the key, where one is set, what each
part does too. The exit status is 0 when every part that is needed is ready.`
}

func (m *healthMode) Run(t *terminal) error {
	if m.URL == "" {
		m.URL = m.Address.URL()
	}
	said, err := node.Health(m.URL, m.APIKey)
	if said != "" {
		fmt.Fprintln(t.out, said)
	}
	return err
}

// topicsMode creates the topics.
type topicsMode struct {
	AlterRetention bool `name:"alter" help:"Give the topics that are there the settings that they should have, as how long they keep records."`
	node.Folder
	node.Kafka
	node.Topics
	node.Logs
}

func (topicsMode) Help() string {
	return `Creates the topics that are missing, and says how those that are there differ from
TIPOFF_PARTITIONS, TIPOFF_REPLICATION and TIPOFF_RETENTION. Every other mode does
the same before it starts. With --alter, topics are changed that keep records for
another time than TIPOFF_RETENTION, or whose other settings are not what the program
wants; then start every process with the same settings. A shorter time drops older
facts for good: tipoff rebuild --from database has them.
Works on KAFKA_BOOTSTRAP_SERVERS, else on the embedded broker under TIPOFF_DATA.`
}

func (m *topicsMode) Run(ctx context.Context, t *terminal) error {
	s := &node.Settings{Folder: m.Folder, Kafka: m.Kafka, Topics: m.Topics, Log: m.Logger(t.errors)}
	s.Alter = m.AlterRetention
	_, end, err := node.Reach(ctx, s, node.OpenFolder)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.out, "all topics are as the settings say")
	return end()
}

// migrateMode makes the schema the newest one.
type migrateMode struct {
	node.Folder
	node.Database
}

func (migrateMode) Help() string {
	return `Creates or migrates the schema in DATABASE_URL (or SQLite). The sink does the same
when it starts.`
}

func (m *migrateMode) Run(ctx context.Context, t *terminal) error {
	s := node.Settings{Folder: m.Folder, Database: m.Database}
	db, err := s.OpenDatabase()
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		return db.Explain(err)
	}
	fmt.Fprintln(t.out, "the schema is the newest one:", db.Where())
	return nil
}

// versionMode says which program this is.
type versionMode struct{}

func (versionMode) Run(t *terminal) error {
	v := node.ThisVersion()
	fmt.Fprintf(t.out, "tipoff %s\ncommit %s\n%s\n", v.Version, v.Commit, v.Go)
	return nil
}
