package broker

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/IBM/sarama"
)

// Settings of topics that must be as the layout says.
const (
	SettingCleanup    = "cleanup.policy"
	SettingRetention  = "retention.ms"
	settingTimestamps = "message.timestamp.type"
)

// Settings of which a topic may have more than the layout says.
const (
	SettingInSync   = "min.insync.replicas"
	settingLeastLag = "min.compaction.lag.ms"
)

// SettingUnclean lets a replica that lags behind become leader, by which a log loses its
// end. Kafka's default is that it does not.
const SettingUnclean = "unclean.leader.election.enable"

// alter makes a topic that is there have the settings of the layout. Its partitions and
// replicas stay: other partitions would tear the records of a key apart, and replicas are
// for Kafka's own tools to move. So does whether it is compacted: a topic where that
// differs may be somebody else's, and would lose records for good.
func (c *Cluster) alter(topic string, replicas int, is map[string]string, want map[string]*string) error {
	entries := map[string]sarama.IncrementalAlterConfigsEntry{}
	for name, value := range want {
		if name != SettingCleanup && !Meets(name, is[name], *value, replicas) {
			entries[name] = sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: value}
		}
	}
	if is[SettingUnclean] == "true" {
		no := "false"
		entries[SettingUnclean] = sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &no}
	}
	if len(entries) == 0 {
		return nil
	}
	if err := c.admin.IncrementalAlterConfig(sarama.TopicResource, topic, entries, false); err != nil {
		return fmt.Errorf("set %v: %w", slices.Sorted(maps.Keys(entries)), err)
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		c.log.Info("the setting of a topic is changed", "topic", topic, "setting", name, "from", is[name], "to", *entries[name].Value)
	}
	return nil
}

// Meets says whether a setting of a topic with so many replicas is as the layout wants it,
// or stricter than that.
func Meets(name, is, want string, replicas int) bool {
	if is == want {
		return true
	}
	have, err := strconv.ParseInt(is, 10, 64)
	wanted, _ := strconv.ParseInt(want, 10, 64)
	switch {
	case err != nil:
	case name == SettingInSync:
		return have > wanted && have <= int64(replicas)
	case name == settingLeastLag:
		return have > wanted
	}
	return false
}
