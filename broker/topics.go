package broker

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"tipoff/topics"
)

// Layout is how the topics are laid out on the cluster.
type Layout struct {
	Partitions  int           // of every topic; a power of two; 0: as the facts' topics are
	New         int           // of the topics of a cluster that has none yet, where Partitions is 0
	Replication int           // 0: 3, or as many as there are brokers
	Retention   time.Duration // of facts and rejections
	Alter       bool          // topics that keep records for another time are changed, not refused
}

// Validate names the setting that is out of bounds.
func (l Layout) Validate() error {
	partitions := cmp.Or(l.Partitions, l.New)
	switch {
	case partitions < 1 || partitions > 1024 || partitions&(partitions-1) != 0:
		return fmt.Errorf("TIPOFF_PARTITIONS: must be a power of two from 1 to 1024, is %d", partitions)
	case l.Replication < 0 || l.Replication > 9:
		return fmt.Errorf("TIPOFF_REPLICATION: must be from 0 (3, or as many as there are brokers) to 9, is %d", l.Replication)
	case l.Retention < time.Hour:
		return fmt.Errorf("TIPOFF_RETENTION: must be 1h or more, is %s", l.Retention)
	}
	return nil
}

// compactionLag keeps superseded table values for a day, so that a value written
// late by a processor that had lost its partition is seen beside the right one.
const compactionLag = 24 * time.Hour

// Kafka compacts a file of a log once all of it is that old, and begins another file in a
// week, so that a start would read what was superseded in more than a week. With a table's
// file each six hours, and compaction due whatever the share that is superseded, it reads
// what was in some thirty hours.
const (
	compactedFile = 6 * time.Hour
	compactionDue = compactionLag + compactedFile
)

func (l Layout) settings(t topics.Topic, replication int) map[string]*string {
	set := map[string]string{
		settingTimestamps: "LogAppendTime", // the broker's clock dates every record
		SettingInSync:     strconv.Itoa(max(1, replication-1)),
	}
	if t.Compacted {
		set[SettingCleanup] = "compact"
		set[settingLeastLag] = milliseconds(compactionLag)
		if isTable(t.Name) {
			set["max.compaction.lag.ms"] = milliseconds(compactionDue)
			set["segment.ms"] = milliseconds(compactedFile)
		}
	} else {
		set[SettingCleanup] = "delete"
		set[SettingRetention] = milliseconds(l.retention(t))
	}
	pointers := make(map[string]*string, len(set))
	for name, value := range set {
		pointers[name] = &value
	}
	return pointers
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func (l Layout) retention(t topics.Topic) time.Duration {
	if t.Retention > 0 {
		return min(l.Retention, t.Retention)
	}
	return l.Retention
}

// MismatchError lists how the cluster's topics differ from the [Layout].
type MismatchError []string

func (m MismatchError) Error() string {
	said := "the topics on the cluster are not as the settings say:"
	for _, line := range m {
		said += "\n  " + line
	}
	return said + "\nset TIPOFF_PARTITIONS, TIPOFF_REPLICATION and TIPOFF_RETENTION to what is there, or change the topics; `tipoff topics --alter` changes their settings, as how long they keep records (retention.ms)"
}

// EnsureTopics creates the topics that are missing, of all table sets that there are,
// and refuses those that differ from the layout with a [MismatchError].
func (c *Cluster) EnsureTopics() error {
	existing, err := c.admin.ListTopics()
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	layout, err := c.layout.among(existing)
	if err != nil {
		return err
	}
	wanted := topics.Shared()
	if err := c.ensure(wanted, existing, layout); err != nil {
		return err
	}
	sets, err := c.TableSets()
	if err != nil {
		return err
	}
	for _, set := range sets.All() {
		wanted = append(wanted, set.Topics()...)
	}
	if err := errors.Join(c.ensure(wanted, existing, layout), c.readSources(topicNames(wanted))); err != nil {
		return err
	}
	if c.layout.Partitions == 0 {
		c.log.Info("number of partitions", "partitions", layout.Partitions)
	}
	c.layout = layout
	return nil
}

// among is the layout with as many partitions as the topics of the facts have, where it
// says nothing and there are some.
func (l Layout) among(existing map[string]sarama.TopicDetail) (Layout, error) {
	if l.Partitions > 0 {
		return l, nil
	}
	found := ""
	for _, name := range topics.Facts() {
		have, ok := existing[name]
		switch n := int(have.NumPartitions); {
		case !ok:
		case n < 1 || n > 1024 || n&(n-1) != 0:
			return l, MismatchError{fmt.Sprintf("%s: number of partitions is %d, which is no power of two from 1 to 1024", name, n)}
		case found != "" && n != l.Partitions:
			return l, MismatchError{fmt.Sprintf("%s: number of partitions is %d, that of %s is %d", name, n, found, l.Partitions)}
		default:
			found, l.Partitions = name, n
		}
	}
	l.Partitions = cmp.Or(l.Partitions, l.New)
	return l, nil
}

// ensure compares the topics that are there, then creates the others, so that nothing is
// created beside topics that are refused.
func (c *Cluster) ensure(wanted []topics.Topic, existing map[string]sarama.TopicDetail, layout Layout) error {
	if err := c.compareTopics(wanted, existing, layout); err != nil {
		return err
	}
	replication := layout.Replication
	if replication == 0 {
		replication = min(3, len(c.client.Brokers()))
	}
	for _, t := range wanted {
		if _, ok := existing[t.Name]; ok {
			continue
		}
		t.Partitions = cmp.Or(t.Partitions, layout.Partitions)
		detail := sarama.TopicDetail{NumPartitions: int32(t.Partitions), ReplicationFactor: int16(replication)}
		create := detail
		create.ConfigEntries = layout.settings(t, replication)
		err := c.admin.CreateTopic(t.Name, &create, false)
		if errors.Is(err, sarama.ErrTopicAlreadyExists) { // another process was quicker: is it as ours would be?
			made, _ := c.admin.ListTopics()
			if made[t.Name].NumPartitions == detail.NumPartitions {
				err = nil
			}
		}
		if err != nil {
			return fmt.Errorf("create topic %s: %w", t.Name, err)
		}
		existing[t.Name] = detail
		c.log.Info("topic created", "topic", t.Name, "partitions", t.Partitions, "replication", replication)
	}
	return nil
}

// compareTopics refuses topics that are there and differ from the layout, and alters what
// the layout lets it.
func (c *Cluster) compareTopics(wanted []topics.Topic, existing map[string]sarama.TopicDetail, layout Layout) error {
	var mismatch MismatchError
	var alters []func() error // made where nothing differs that cannot be altered: the topics may be another program's
	for _, t := range wanted {
		have, ok := existing[t.Name]
		if !ok {
			continue
		}
		t.Partitions = cmp.Or(t.Partitions, layout.Partitions)
		lines, alter, err := c.differences(t, have, layout.settings(t, int(have.ReplicationFactor)))
		if err != nil {
			return fmt.Errorf("settings of topic %s: %w", t.Name, err)
		}
		mismatch, alters = append(mismatch, lines...), append(alters, alter)
	}
	if len(mismatch) > 0 {
		return mismatch
	}
	for _, alter := range alters {
		if err := alter(); err != nil {
			return err
		}
	}
	return nil
}

// differences compares what the settings state: partitions, replication where it
// is set, and how long records are kept. alter sets what may be set, if the layout says so.
func (c *Cluster) differences(t topics.Topic, have sarama.TopicDetail, want map[string]*string) (lines []string, alter func() error, err error) {
	say := func(what string, is, wanted any) {
		lines = append(lines, fmt.Sprintf("%s: %s is %v, the settings say %v", t.Name, what, is, wanted))
	}
	if int(have.NumPartitions) != t.Partitions {
		say("number of partitions", have.NumPartitions, t.Partitions)
	}
	if c.layout.Replication != 0 && int(have.ReplicationFactor) != c.layout.Replication {
		say("replication factor", have.ReplicationFactor, c.layout.Replication)
	}
	is, err := c.topicSettings(t.Name)
	if err != nil {
		return nil, nil, err // another process may be creating the topic at this moment
	}
	for _, name := range refused {
		if wanted, stated := want[name]; stated && is[name] != *wanted && (!c.layout.Alter || name == SettingCleanup) {
			say(name, is[name], *wanted)
		}
	}
	alter = func() error {
		if !c.layout.Alter {
			return nil
		}
		return c.alter(t.Name, int(have.ReplicationFactor), is, want)
	}
	return lines, alter, nil
}

// refused are the settings that must be as the layout says, as what a topic promises
// depends on them: how long it keeps what, and whose clock dates it.
var refused = []string{SettingCleanup, SettingRetention, settingTimestamps}

func (c *Cluster) topicSettings(topic string) (map[string]string, error) {
	resource := &sarama.ConfigResource{Type: sarama.TopicResource, Name: topic}
	results, err := c.admin.DescribeConfigs([]*sarama.ConfigResource{resource}, sarama.DescribeConfigsOptions{})
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	for _, result := range results {
		if result.ErrorCode != sarama.ErrNoError {
			return nil, result.ErrorCode
		}
		for _, entry := range result.Configs {
			settings[entry.Name] = entry.Value
		}
	}
	return settings, nil
}

// topic is what is known of a topic on the cluster.
type topic struct {
	id         string // tells one life of a topic from another
	partitions int
}

// readSources learns the ids of the topics and how many partitions each has.
func (c *Cluster) readSources(names []string) error {
	described, err := c.admin.DescribeTopics(names)
	if err != nil {
		return fmt.Errorf("describe topics: %w", err)
	}
	fresh := map[string]topic{}
	for _, t := range described {
		if t.Err != sarama.ErrNoError {
			return fmt.Errorf("describe topic %s: %w", t.Name, t.Err)
		}
		fresh[t.Name] = topic{t.Uuid.String(), len(t.Partitions)}
	}
	if missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return fresh[name].partitions != 0 }); len(missing) > 0 {
		return fmt.Errorf("describe topics: the cluster does not know %v yet", missing)
	}
	for {
		before := c.topics.Load()
		known := map[string]topic{}
		if before != nil {
			maps.Copy(known, *before)
		}
		maps.Copy(known, fresh)
		if c.topics.CompareAndSwap(before, &known) {
			return nil
		}
	}
}

// ours are those of the claimed topics whose ids are kept.
func (c *Cluster) ours(claims map[string][]int32) (names []string) {
	for name := range claims {
		if c.TopicID(name) != "" {
			names = append(names, name)
		}
	}
	return names
}

func topicNames(wanted []topics.Topic) (names []string) {
	for _, t := range wanted {
		names = append(names, t.Name)
	}
	return names
}

// Source is the short form of the topic's id, for [state.Position]; call it after
// [Cluster.EnsureTopics].
func (c *Cluster) Source(topic string) uint32 {
	if id := c.TopicID(topic); id != "" {
		return topics.Source(id)
	}
	return 0
}

// Reader knows the records that a group of this process reads.
type Reader struct {
	*Cluster
	group string
}

// Reader returns what is known of the records that the group reads.
func (c *Cluster) Reader(group string) Reader { return Reader{c, group} }

// Sequence is the place of an offset on a partition; see [tipoff.Sequence].
func (r Reader) Sequence(topic string, partition int32, offset int64) int64 {
	return r.epochs.sequence(r.group, claimed{topic, partition}, offset)
}

// Partitions is how many partitions the topics of the facts have; call it after
// [Cluster.EnsureTopics].
func (c *Cluster) Partitions() int { return c.partitions(topics.Coupons) }

// TopicID is the topic's id in words; call it after [Cluster.EnsureTopics].
func (c *Cluster) TopicID(topic string) string { return (*c.topics.Load())[topic].id }

// partitions is how many partitions a topic has.
func (c *Cluster) partitions(topic string) int {
	if known := c.topics.Load(); known != nil && (*known)[topic].partitions != 0 {
		return (*known)[topic].partitions
	}
	return c.layout.Partitions
}
