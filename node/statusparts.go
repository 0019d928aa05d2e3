package node

import (
	"math"
	"slices"
	"time"

	"tipoff/broker"
	"tipoff/http"
)

// From where on a part that works counts as behind.
const (
	behindRecords = 10_000
	behindFor     = 5 * time.Second
)

// stateOf is the state of a part in a word.
func stateOf(s broker.State) string {
	switch {
	case s.Failing:
		return http.PartFailing
	case s.Behind:
		return http.PartBehind
	case !s.Ready:
		return http.PartStarting
	case s.Lag > behindRecords, s.Oldest > behindFor:
		return http.PartBehind
	}
	return http.PartReady
}

// What to do about a part, by its state.
const (
	doWait     = "wait; if it stays so for minutes, see what detail and the log say it waits for"
	doCatchUp  = "wait until it has caught up; if the lag grows, start more processes of its role, as many as there are partitions at the most"
	doMend     = "mend what detail names; the log has more. The part is started again by itself"
	doBroker   = "see that the broker runs, can be reached (KAFKA_BOOTSTRAP_SERVERS) and has room on its disk; answers come from memory meanwhile, posts are refused"
	doDatabase = "do what detail says; facts wait on the broker meanwhile, and are written then"
	doLogs     = "run tipoff rebuild, which brings back what the database has of them"
	doElse     = "ask the process that has this role"
)

// whatToDo is what to do next about a part.
func whatToDo(name, state string) string {
	switch state {
	case http.PartReady:
		return ""
	case http.PartStarting:
		return doWait
	case http.PartBehind:
		return doCatchUp
	case http.PartAbsent:
		return doElse
	}
	switch name {
	case partDrain:
		return ""
	case partBroker:
		return doBroker
	case partDatabase, "sink":
		return doDatabase
	case partLogs:
		return doLogs
	}
	return doMend
}

// hasLag says whether a part reads records.
func hasLag(name string) bool {
	return !slices.Contains([]string{partGateway, partBroker, partDatabase, partLogs, partDrain}, name)
}

// statusParts looks at each part, in the order of a bet's way, and notes since when it is
// as it is.
func (n *Node) statusParts(now time.Time) []http.StatusPart {
	n.mu.Lock()
	parts := slices.Clone(n.parts)
	n.mu.Unlock()
	n.status.mu.Lock()
	parts = append(parts, n.status.own...)
	n.status.mu.Unlock()
	var found []http.StatusPart
	for _, p := range parts {
		found = append(found, p.look(shown(p.name), now))
	}
	for _, name := range partsShown {
		if !slices.ContainsFunc(found, func(p http.StatusPart) bool { return p.Name == name }) {
			found = append(found, http.StatusPart{Name: name, State: http.PartAbsent, Detail: "another process has this role", Do: doElse})
		}
	}
	place := func(p http.StatusPart) int {
		if i := slices.Index(partsShown, p.Name); i >= 0 {
			return i
		}
		return len(partsShown)
	}
	slices.SortStableFunc(found, func(a, b http.StatusPart) int { return place(a) - place(b) })
	return found
}

// seen asks a part how it is, and since when it is so. One asks at a time: of two who look at
// a part that changes one would come late with what it was, and give it another date.
func (p *part) seen(now time.Time) (s broker.State, state string, since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s = p.state()
	if state = stateOf(s); p.was != state {
		p.was, p.since = state, now.UTC()
	}
	return s, state, p.since
}

// look returns how a part is.
func (p *part) look(name string, now time.Time) http.StatusPart {
	s, state, since := p.seen(now)
	is := http.StatusPart{Name: name, State: state, Since: &since, Detail: bounded(s.Detail), Do: whatToDo(name, state)}
	if !hasLag(name) {
		return is
	}
	if s.Looked {
		is.Lag = &s.Lag
	}
	oldest := s.Oldest
	if s.Answers {
		if s.AsOf.IsZero() {
			return is
		}
		oldest = max(0, now.Sub(s.AsOf))
	}
	age := math.Round(oldest.Seconds()*10) / 10
	is.Oldest = &age
	return is
}
