// Package rejected works on the records that could not be used: it lists what is on
// the topic of rejections, and publishes records again where they came from.
//
// The topic is only added to. Of several rejections of one record the last one counts,
// and a retry is noted by another record of the same id, without a value: what is
// still open is known once all has been read, so everything is read twice.
package rejected

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff/broker"
	"tipoff/topics"
)

// Selected are the rejections that a person asks for; the zero value is all of them.
type Selected struct {
	Topic  string        `placeholder:"TOPIC" help:"Only records that came from this topic."`
	Reason string        `placeholder:"TEXT" help:"Only those whose reason has this in it."`
	Since  time.Duration `placeholder:"DURATION" help:"Only those rejected within this time, as 2h."`
	ID     []string      `name:"id" placeholder:"ID" help:"Only these, as the list names them."`
}

// rejection is one record of the topic of rejections.
type rejection struct {
	ID string    `json:"id"`
	At time.Time `json:"rejected_at"`
	topics.Rejection
	on position
}

// position is where a rejection is on its topic: of several with the same id the last one
// counts.
type position struct {
	partition int32
	offset    int64
	appended  time.Time
}

// rejections are the topic of rejections, read in two rounds: the first learns which
// of them are still open, as a later record says of each whether it was retried.
type rejections struct {
	cluster *broker.Cluster
	open    map[string]position
	foreign int // records that are no rejections
}

func read(ctx context.Context, c *broker.Cluster, count func(n int)) (*rejections, error) {
	g := &rejections{cluster: c, open: map[string]position{}}
	err := c.Read(ctx, topics.Rejected, func(s broker.Stored) error {
		count(1)
		var r topics.Rejection
		switch err := json.Unmarshal(s.Value, &r); {
		case err != nil:
			g.foreign++
		case !r.Retried.IsZero():
			delete(g.open, r.ID())
		default:
			g.open[r.ID()] = position{s.Partition, s.Offset, s.Appended.UTC()}
		}
		return nil
	})
	return g, err
}

// each calls visit for every open rejection that is selected.
func (g *rejections) each(ctx context.Context, which Selected, count func(n int), visit func(rejection) error) error {
	oldest := time.Time{}
	if which.Since > 0 {
		oldest = time.Now().Add(-which.Since)
	}
	return g.cluster.Read(ctx, topics.Rejected, func(s broker.Stored) error {
		count(1)
		r := rejection{At: s.Appended.UTC(), on: position{s.Partition, s.Offset, s.Appended.UTC()}}
		if json.Unmarshal(s.Value, &r.Rejection) != nil {
			return nil
		}
		r.ID = r.Rejection.ID()
		if r.Received.IsZero() {
			r.Received = r.At
		}
		if at, open := g.open[r.ID]; !open || at != r.on {
			return nil
		}
		if (which.Topic != "" && r.Topic != which.Topic) || !strings.Contains(r.Reason, which.Reason) || r.At.Before(oldest) ||
			(len(which.ID) > 0 && !slices.Contains(which.ID, r.ID)) {
			return nil
		}
		return visit(r)
	})
}

// whyNot says why a rejection cannot be retried; "": it can.
func (r *rejection) whyNot() string {
	switch {
	case r.Cut():
		return fmt.Sprintf("its value was cut at %d bytes, or its key at %d: post it again", topics.MaxRejectedValue, topics.MaxRejectedKey)
	case !slices.Contains(topics.Facts(), r.Topic):
		return "it came from " + r.Topic + ", which the processors fill from the facts: tipoff rebuild fills the tables again"
	}
	return ""
}
