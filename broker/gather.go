package broker

import (
	"time"

	"github.com/IBM/sarama"
)

// A processor's messages that nobody waits for (see [topics.HeaderMayGather]) are sent so many
// at once, or those that have come when it is so long since the last ones were sent.
const (
	messageGap     = 25 * time.Millisecond
	messagesAtOnce = 128 // fewer than records may be unfinished
)

// parcel is messages that wait to be sent together. It has no clock: it is told the time.
type parcel struct {
	gap      time.Duration
	messages []*outgoing
	sent     time.Time // when messages were sent last
}

// put adds a message, and returns true where those in the parcel are to be sent now.
func (p *parcel) put(m *outgoing, now time.Time) bool {
	p.messages = append(p.messages, m)
	return len(p.messages) >= messagesAtOnce || p.left(now) <= 0
}

// left is how long the messages may wait yet.
func (p *parcel) left(now time.Time) time.Duration { return p.gap - now.Sub(p.sent) }

// take returns the messages, which wait no more; they are valid until the next is put.
func (p *parcel) take(now time.Time) []*outgoing {
	taken := p.messages
	p.messages, p.sent = p.messages[:0], now
	return taken
}

// gathered is how many bytes a reader that may wait reads at once at the least.
const gathered = 64 << 10

// gather has a consumer's fetches wait for more to read, no longer than that. Each answer
// to a fetch wakes the readers of all its partitions, which is most of what it costs to
// read a few records: whoever need not be quick leaves the cores to those who must.
func gather(s *sarama.Config, wait time.Duration) {
	if wait > 0 {
		s.Consumer.Fetch.Min, s.Consumer.MaxWaitTime = gathered, wait
	}
}
