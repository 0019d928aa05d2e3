package broker

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// Loss is what a log had and has no more: a power cut, an election of a replica that
// lagged behind, or an older copy of the folder took the end of it.
type Loss struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"` // offset of the first record that is gone
	To        int64  `json:"to"`   // behind the last one that was seen there
}

// Records is how many records are gone, of those that were seen.
func (l Loss) Records() int64 { return l.To - l.From }

// losses are those that this process has noticed.
type losses struct {
	mu  sync.Mutex
	all []Loss
}

// add returns false for a loss that another group of this process has noticed.
func (l *losses) add(new Loss) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.all {
		known := &l.all[i]
		if known.Topic == new.Topic && known.Partition == new.Partition && known.From == new.From {
			known.To = max(known.To, new.To)
			return false
		}
	}
	l.all = append(l.all, new)
	return true
}

// Losses are the ends of logs that were found missing since this process started, by
// topic and partition.
func (c *Cluster) Losses() []Loss {
	c.losses.mu.Lock()
	defer c.losses.mu.Unlock()
	return slices.SortedFunc(slices.Values(c.losses.all), func(a, b Loss) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.From, b.From))
	})
}

// Mended forgets the losses, once a rebuild has brought back what could be.
func (c *Cluster) Mended() {
	c.losses.mu.Lock()
	defer c.losses.mu.Unlock()
	c.losses.all = nil
}

// lost says loudly that the records of a partition from an offset on are gone, which
// were there up to another one.
func (c *Cluster) lost(of claimed, from, to int64) {
	loss := Loss{of.topic, of.partition, from, to}
	if c.losses.add(loss) {
		c.log.Error("A LOG HAS LOST ITS END: records that were acknowledged are gone. What comes from now on counts; "+
			"tipoff rebuild brings back what the database holds of them",
			"log", fmt.Sprintf("%s/%d", loss.Topic, loss.Partition), "from_offset", loss.From, "records", loss.Records())
	}
}
