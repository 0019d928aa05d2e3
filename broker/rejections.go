package broker

import (
	"maps"
	"sync"

	"tipoff/topics"
)

// RejectedAs is where rejected records came from, and why they were rejected.
type RejectedAs struct {
	Topic string
	Kind  topics.RejectionKind
}

// rejections count records that were rejected.
type rejections struct {
	mu sync.Mutex
	by map[RejectedAs]int64
}

// Rejected notes that a record was rejected, and says so; the log holds back what it
// has said within the minute. One that is delivered again counts again.
func (o *Owner) Rejected(topic string, kind topics.RejectionKind) {
	o.rejections.mu.Lock()
	if o.rejections.by == nil {
		o.rejections.by = map[RejectedAs]int64{}
	}
	o.rejections.by[RejectedAs{topic, kind}]++
	o.rejections.mu.Unlock()
	o.cluster.log.Warn("a record cannot be used and is on "+topics.Rejected+": see tipoff rejected list", "topic", topic, "kind", kind)
}

// Rejections are how many records were rejected since the start.
func (o *Owner) Rejections() map[RejectedAs]int64 {
	o.rejections.mu.Lock()
	defer o.rejections.mu.Unlock()
	return maps.Clone(o.rejections.by)
}
