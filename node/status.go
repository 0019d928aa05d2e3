package node

import (
	"context"
	"math"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tipoff/broker"
	"tipoff/http"
	"tipoff/sink"
	"tipoff/topics"
)

// status is what a node knows of itself beside its parts.
type status struct {
	started time.Time
	role    string
	fresh   minute
	updates [3]atomic.Int64 // changes of tables that views applied, in the order of tablesShown

	mu       sync.Mutex
	own      []*part // beside those that decide readiness
	lags     []*broker.Lag
	rejected []*func() int64
	gone     *int64 // that were rejected by parts that have ended; nil: none has

	before struct { // only of [Node.Status]
		updates [3]int64
		at      time.Time
	}
}

// tablesShown are the tables that views hold; names are shown without what all have.
var tablesShown = [3]string{topics.TableBettors, topics.TableFixtures, topics.TableLearner}

// groupsShown are the consumer groups of a whole Tipoff.
var groupsShown = []string{topics.GroupBettors, topics.GroupFixtures, topics.GroupLearner, topics.GroupSink}

// Names of parts that are no processor or view.
const (
	partGateway  = "gateway"
	partBroker   = "broker"
	partDatabase = "database"
)

// partsShown are the parts of a whole Tipoff, in the order of a bet's way.
var partsShown = []string{partGateway, partBroker, "bettors", "fixtures", "learner", "sink", partDatabase,
	"view of bettors", "view of fixtures", "view of learner"}

// roleOf is what the command line calls a process with the roles.
func roleOf(roles []Role) string {
	names := map[Role]string{Processors: "processors", Sink: "sink", API: "api", Learner: "learner"}
	var said []string
	for _, r := range AllRoles {
		if slices.Contains(roles, r) {
			said = append(said, names[r])
		}
	}
	if len(said) == len(AllRoles) {
		return "run"
	}
	return strings.Join(said, ",")
}

// shown is the name of a part, group or table without what all of ours have.
func shown(name string) string {
	if name == partKafka {
		return partBroker
	}
	return strings.TrimSuffix(strings.Replace(name, "tipoff-", "", 1), "-table")
}

// shows has a part in the status that readiness does without.
func (n *Node) shows(name string, state func() broker.State) {
	n.status.mu.Lock()
	defer n.status.mu.Unlock()
	n.status.own = append(n.status.own, &part{name: name, state: state})
}

// showGateway says whether the gateway serves.
func (n *Node) showGateway() {
	n.shows(partGateway, func() broker.State {
		if n.api.Load() == nil {
			return broker.State{Detail: "waits for the parts behind it"}
		}
		return broker.State{Ready: true, Detail: "serves"}
	})
}

// showDatabase says whether the database takes what the sink brings.
func (n *Node) showDatabase(s *sink.Sink) {
	n.shows(partDatabase, func() broker.State {
		switch progress := s.Progress(time.Now()); {
		case progress.Trouble != nil:
			return broker.State{Failing: true, Detail: progress.Trouble.String()}
		case !progress.Migrated:
			return broker.State{Detail: "its schema is being made the newest one"}
		}
		return broker.State{Ready: true, Detail: "takes rows"}
	})
}

// flows has a group's progress in the status, until remove is called.
func (n *Node) flows(l *broker.Lag) (remove func()) {
	s := &n.status
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lags = append(s.lags, l)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lags = slices.DeleteFunc(s.lags, func(other *broker.Lag) bool { return other == l })
	}
}

// rejects has the records that a part rejects in the status, until remove is called.
func (n *Node) rejects(count func() int64) (remove func()) {
	s := &n.status
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected = append(s.rejected, &count)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.gone = sum(s.gone, count()) // the sum never falls
		s.rejected = slices.DeleteFunc(s.rejected, func(other *func() int64) bool { return other == &count })
	}
}

// updated counts a change of a table that a view of the serving table set applied.
func (n *Node) updated(table string) {
	n.status.updates[slices.Index(tablesShown[:], table)].Add(1)
}

// lookEvery is how often parts are looked at while nobody asks, so that it is known since
// when each is as it is.
const lookEvery = 2 * time.Second

// look watches the parts until ctx ends.
func (n *Node) look(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			n.statusParts(now)
		}
	}
}

// Status is what the process does. It is called by one goroutine at a time.
func (n *Node) Status() http.Status {
	now := time.Now()
	s := http.Status{
		Version: ThisVersion().Version, Started: n.status.started.UTC(), Role: n.status.role, Ready: n.Readiness().Ready,
		Parts: n.statusParts(now), Freshness: n.status.fresh.freshness(now), Memory: memory(), At: now.UTC(),
	}
	n.status.mu.Lock()
	lags := slices.Clone(n.status.lags)
	if n.status.gone != nil {
		s.Rejected = sum(nil, *n.status.gone)
	}
	for _, count := range n.status.rejected {
		s.Rejected = sum(s.Rejected, (*count)())
	}
	n.status.mu.Unlock()
	s.Flow.Topics, s.Flow.Groups = flowsOf(lags, now)
	s.Flow.Tables = n.tables(now)
	return s
}

// memory is how many bytes the process has from the operating system.
func memory() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}

// flowsOf returns what moves through topics and groups. Of topics and groups of a whole
// Tipoff that this process does not ask about nothing is known but their names.
func flowsOf(lags []*broker.Lag, now time.Time) (through []http.TopicFlow, groups []http.GroupFlow) {
	known, counted := map[string]bool{}, map[string]bool{}
	for _, l := range lags {
		group := http.GroupFlow{Name: shown(l.Group)}
		known[group.Name] = true
		flows := l.Flows(now)
		for _, f := range flows {
			group.Lag = sum(group.Lag, f.Lag)
			if f.Done >= 0 {
				group.Rate = sum(group.Rate, tenth(f.Done))
			}
			if counted[f.Topic] { // by another group
				continue
			}
			counted[f.Topic] = true
			topic := http.TopicFlow{Name: f.Topic, Newest: &f.End}
			if f.Grown >= 0 {
				topic.Rate = sum(nil, tenth(f.Grown))
			}
			through = append(through, topic)
		}
		if len(flows) < len(l.Inputs()) { // of some nothing is known, and so of all together
			group.Lag, group.Rate = nil, nil
		}
		groups = append(groups, group)
	}
	for _, name := range groupsShown {
		if !known[shown(name)] {
			groups = append(groups, http.GroupFlow{Name: shown(name)})
		}
	}
	for _, name := range topics.Facts() {
		if !counted[name] {
			through = append(through, http.TopicFlow{Name: name})
		}
	}
	slices.SortStableFunc(through, func(a, b http.TopicFlow) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(groups, func(a, b http.GroupFlow) int { return strings.Compare(a.Name, b.Name) })
	return through, groups
}

func tenth(rate float64) float64 { return math.Round(rate*10) / 10 }

// sum adds to a number that may not be known.
func sum[N int64 | float64](to *N, more N) *N {
	if to == nil {
		return &more
	}
	more += *to
	return &more
}

// tables returns what this gateway has in memory.
func (n *Node) tables(now time.Time) []http.TableFlow {
	entries := [3]*int64{}
	if v := n.views.Load(); v != nil {
		bettors, fixtures := 0, 0
		for _, size := range v.Sizes() {
			bettors, fixtures = bettors+size.Bettors, fixtures+size.Fixtures
		}
		for i, count := range []int{bettors, fixtures, len(v.LearningStats())} {
			entries[i] = sum(nil, int64(count))
		}
	}
	before := &n.status.before
	span := now.Sub(before.at)
	shownTables := []http.TableFlow{}
	for i, name := range tablesShown {
		table := http.TableFlow{Name: shown(name), Entries: entries[i]}
		updates := n.status.updates[i].Load()
		if entries[i] != nil && span > 0 && span < lookEvery*5 {
			table.Rate = sum(nil, tenth(float64(updates-before.updates[i])/span.Seconds()))
		}
		before.updates[i] = updates
		shownTables = append(shownTables, table)
	}
	before.at = now
	return shownTables
}
