package http

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"tipoff"
)

// Status is the response to GET /v1/status: what a process does at a moment, and how its
// parts are. A nil number is one that this process cannot know, or not yet.
type Status struct {
	Version string       `json:"version"`
	Started time.Time    `json:"started"`
	Role    string       `json:"role"` // as the command line names it
	Ready   bool         `json:"ready"`
	Parts   []StatusPart `json:"parts"`
	Flow    Flow         `json:"flow"`

	Posts     *float64   `json:"posts_per_second"`   // requests that bring facts
	Lookups   *float64   `json:"lookups_per_second"` // requests for recommendations or what is popular
	Freshness *Freshness `json:"freshness"`          // nil: no fact reached a view
	Rejected  *int64     `json:"rejected"`           // records, since the process started
	Memory    int64      `json:"memory_bytes"`       // that the process has from the operating system
	At        time.Time  `json:"at"`
}

// The states of a part.
const (
	PartReady    = "ready"
	PartStarting = "starting" // has not been ready yet, and nothing is known to be wrong
	PartBehind   = "behind"   // works, on what is some seconds old
	PartFailing  = "failing"
	PartAbsent   = "absent" // another process has this role
)

// StatusPart is one thing that a Tipoff does or needs.
type StatusPart struct {
	Name   string     `json:"name"`
	State  string     `json:"state"`          // [PartReady] ... [PartAbsent]
	Since  *time.Time `json:"since"`          // of the state; nil: absent
	Lag    *int64     `json:"lag_records"`    // it has still to read
	Oldest *float64   `json:"oldest_seconds"` // of what it has read and not finished, or, of a view, since it had all
	Detail string     `json:"detail"`         // what it does or what is wrong
	Do     string     `json:"do"`             // next; "": nothing
}

// Flow is what moves.
type Flow struct {
	Topics []TopicFlow `json:"topics"`
	Groups []GroupFlow `json:"groups"`
	Tables []TableFlow `json:"tables"`
}

// TopicFlow is a topic's growth.
type TopicFlow struct {
	Name   string   `json:"name"`
	Rate   *float64 `json:"records_per_second"`
	Newest *int64   `json:"end"` // records that it has ever had, over all partitions
}

// GroupFlow is a consumer group's progress.
type GroupFlow struct {
	Name string   `json:"name"`
	Lag  *int64   `json:"lag_records"`
	Rate *float64 `json:"records_per_second"` // finished
}

// TableFlow is a table in the memory of this gateway.
type TableFlow struct {
	Name    string   `json:"name"`
	Entries *int64   `json:"entries"`
	Rate    *float64 `json:"updates_per_second"`
}

// Freshness is how long facts of the last minute took from the gateway that received them
// to a view of this process, in milliseconds.
type Freshness struct {
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Count int64   `json:"count"`
}

// statusPatience is how long a question waits for the first status: a part may take its
// time to say how it is.
const statusPatience = 3 * time.Second

// status serves the newest status, which is at most a second old.
func (s *Server) status(q *request) error {
	if err := q.parameters().end(); err != nil {
		return err
	}
	text, err := s.board.newest(statusPatience)
	if err != nil {
		return err
	}
	q.SetStatusCode(fasthttp.StatusOK)
	q.SetContentType("application/json")
	q.SetBody(text)
	return nil
}

// taken counts the requests that a status has rates of.
type taken struct {
	posts, lookups int64
	at             time.Time // zero: nothing is known yet
}

// takeStatus returns the JSON of the process's status; before is what was counted when it
// was taken last.
func (s *Server) takeStatus(before *taken) ([]byte, error) {
	status := Status{}
	if s.Status != nil {
		status = s.Status()
	}
	now := taken{s.metrics.posts.Load(), s.metrics.lookups.Load(), time.Now()}
	if s.API != nil && !before.at.IsZero() {
		status.Posts = perSecond(now.posts-before.posts, now.at.Sub(before.at))
		status.Lookups = perSecond(now.lookups-before.lookups, now.at.Sub(before.at))
	}
	*before = now
	status.At = now.at.UTC()
	return json.Marshal(status)
}

// perSecond returns a rate to a tenth; nil: the span is too short to tell.
func perSecond(n int64, span time.Duration) *float64 {
	if span < time.Millisecond {
		return nil
	}
	rate := float64(int64(float64(n)/span.Seconds()*10+0.5)) / 10
	return &rate
}

// traffic is what a route's requests count as in a status; nil: as nothing.
func (m *metrics) traffic(method, path string) *counter {
	switch method + " " + path {
	case "POST /v1/users", "POST /v1/events", "POST /v1/coupons", "PATCH /v1/events/{event_id}",
		"POST /register_user", "POST /register_event", "POST /register_coupon":
		return &m.posts
	case "GET /v1/recommendations", "GET /v1/popular", "GET /recommend":
		return &m.lookups
	}
	return nil
}

// errNoStatus is what a question is answered with whose status does not come.
var errNoStatus = tipoff.Unavailable("take the status", errSlowPart)
