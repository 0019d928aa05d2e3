package broker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"

	"tipoff/trace"
)

// TableValues tells what the broker must know of the values of a table, without
// knowing what they mean.
type TableValues struct {
	// Epoch is the ownership under which a value was written.
	Epoch func(value []byte) uint64
	// Check refuses a value that this program cannot read.
	Check func(value []byte) error
	// Group is what a value is counted as, "" if it is not counted; see [Owner.Held]. nil:
	// none is.
	Group func(key string, value []byte) string
	// Put is told each value that the processor of this process has put into the table, valid
	// during the call; nil: nobody is.
	Put func(key string, value []byte)
}

// Owner knows what a process owns of a group's table, and since when.
//
// A process that was paused or cut off for longer than its session may go on
// writing to a partition that another one has taken over. Its values carry a lower
// epoch than the new owner's, and whoever reads the table refuses them; the key is
// then written again by the one who owns it (see [Cluster.NewOwner]).
type Owner struct {
	cluster *Cluster
	group   string
	values  TableValues
	stale   func(key string)

	rejections rejections

	mu         sync.Mutex
	generation int32
	windows    *windows // of the present session
	tables     map[int32]*memory
}

// NewOwner prepares the ownership of a table. stale is called with each key whose
// newest value on the topic was written by a former owner: it asks the present one
// to write its value again.
func (c *Cluster) NewOwner(values TableValues, stale func(key string)) *Owner {
	return &Owner{cluster: c, values: values, stale: stale, windows: newWindows(), tables: map[int32]*memory{}}
}

// Tracer is what the group's processor traces by; nil: it does not.
func (o *Owner) Tracer() *trace.Tracer { return o.cluster.tracer }

// Source tells one life of a topic from another.
func (o *Owner) Source(topic string) uint32 { return o.cluster.Source(topic) }

// Sequence is [Reader.Sequence] of the group whose processor has this owner.
func (o *Owner) Sequence(topic string, partition int32, offset int64) int64 {
	return o.cluster.epochs.sequence(o.group, claimed{topic, partition}, offset)
}

// Epoch is what values of the partition carry that this process writes now. Its
// upper half counts the lives of the group, its lower half is the group's
// generation, which Kafka raises at each rebalance: a later owner's is higher.
func (o *Owner) Epoch(partition int32) uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := uint64(0)
	if table := o.tables[partition]; table != nil {
		seen = table.highest()
	}
	return nextEpoch(seen, o.generation)
}

// nextEpoch is the epoch of a new owner in the given generation of the group, who
// has seen values of an earlier epoch. A generation that is not higher means that
// the group was forgotten meanwhile and has begun to count again, or that its member
// came back within the generation.
func nextEpoch(seen uint64, generation int32) uint64 {
	life, before := seen>>32, int32(seen)
	if generation <= before {
		life++
	}
	return life<<32 | uint64(uint32(generation))
}

// Finished is up to where every record of the partition is finished: each message
// that followed from one before it has been acknowledged.
func (o *Owner) Finished(topic string, partition int32) int64 {
	w := o.window(topic, partition)
	if w == nil {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.floor
}

// window is that of a partition in the present session, nil if there is none.
func (o *Owner) window(topic string, partition int32) *window {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.windows.of(topic, partition)
}

// Unfinished is how long the oldest record that was delivered is not finished.
func (o *Owner) Unfinished(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if oldest := o.windows.oldest(); !oldest.IsZero() {
		return max(0, now.Sub(oldest))
	}
	return 0
}

// begin notes a new session and returns its windows. What a partition's storage holds
// is kept when this process owned it in the generation just before, as then nobody
// else can have written meanwhile. Topics may have been created again since the last
// session, so their ids are asked for.
func (o *Owner) begin(session sarama.ConsumerGroupSession) (*windows, error) {
	if err := o.cluster.readSources(o.cluster.ours(session.Claims())); err != nil {
		return nil, err
	}
	ends, err := o.cluster.epochs.ends(context.Background(), o.group+"-table")
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	again := session.GenerationID() == o.generation+1
	for partition, table := range o.tables {
		if !again || !table.settled() {
			delete(o.tables, partition)
			continue
		}
		table.saw(nextEpoch(table.highest(), o.generation)) // written by ourselves
		if end, known := ends[partition]; known {
			table.compare(end)
		}
	}
	owned := map[int32]bool{}
	for _, partitions := range session.Claims() {
		for _, p := range partitions {
			owned[p] = true
		}
	}
	for partition := range o.tables {
		if !owned[partition] {
			delete(o.tables, partition)
		}
	}
	o.generation = session.GenerationID()
	o.windows = newWindows()
	return o.windows, nil
}

// storage gives goka the local copy of a partition.
func (o *Owner) storage(_ string, partition int32) (storage.Storage, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	table := o.tables[partition]
	if table == nil {
		table = newMemory()
		table.tally.groupOf = o.values.Group
		o.tables[partition] = table
	}
	return &handle{memory: table, stale: o.stale, put: o.values.Put}, nil
}

// refusal is why a partition cannot be worked on; nil: it can. Its records wait on
// the broker while other partitions go on.
func (o *Owner) refusal(partition int32) error {
	if table := o.table(partition); table != nil {
		return table.refusal()
	}
	return nil
}

// table is the local copy of a partition, nil if there is none. (goka hands its own
// wrapping of the storage to [Owner.recover].)
func (o *Owner) table(partition int32) *memory {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.tables[partition]
}

// Stored is the value of a key in the table of a partition that this process has, nil
// where there is none. It does not change.
func (o *Owner) Stored(partition int32, key string) []byte {
	table := o.table(partition)
	if table == nil {
		return nil
	}
	value, _ := table.Get(key) // never fails
	return value
}

// Partitions are those whose tables this process has, in no order.
func (o *Owner) Partitions() []int32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Keys(o.tables))
}

// Refused says why partitions cannot be worked on before a person has done something
// about it.
func (o *Owner) Refused() map[int32]error {
	o.mu.Lock()
	defer o.mu.Unlock()
	why := map[int32]error{}
	for partition, table := range o.tables {
		if err := table.refusal(); err != nil {
			why[partition] = err
		}
	}
	return why
}

// recover keeps a value of the changelog, unless it is a former owner's. A value
// that this program cannot use is not taken for another one's absence: the
// partition is not worked on.
func (o *Owner) recover(ctx goka.UpdateContext, s storage.Storage, key string, value []byte) error {
	if value == nil {
		return s.Delete(key)
	}
	if err := o.values.Check(value); err != nil {
		err = fmt.Errorf("NEEDS A PERSON: partition %d of %s waits, as it holds at offset %d a value for %q that this program cannot use (%w), "+
			"most likely of a newer version: run the version of Tipoff that wrote it, or tipoff rebuild", ctx.Partition(), ctx.Topic(), ctx.Offset(), key, err)
		if table := o.table(ctx.Partition()); table != nil && table.refuse(err) {
			o.cluster.log.Error("a partition is not worked on", "error", err)
		}
		return nil
	}
	epoch := o.values.Epoch(value)
	stored, err := s.Get(key)
	if err != nil {
		return err
	}
	late := stored != nil && epoch < o.values.Epoch(stored)
	if table := o.table(ctx.Partition()); table != nil {
		table.follow(key, late)
		table.saw(epoch)
	}
	if late {
		return nil
	}
	return s.Set(key, slices.Clone(value)) // it lies in a fetch buffer
}
