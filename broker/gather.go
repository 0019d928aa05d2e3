package broker

import (
	"time"

	"github.com/IBM/sarama"
)

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
