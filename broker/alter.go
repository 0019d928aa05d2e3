package broker

import (
	"fmt"
	"maps"
	"slices"

	"github.com/IBM/sarama"
)

// Settings of topics that must be as the layout says.
const (
	settingCleanup    = "cleanup.policy"
	settingRetention  = "retention.ms"
	settingTimestamps = "message.timestamp.type"
)

// SettingUnclean lets a replica that lags behind become leader, by which a log loses its
// end. Kafka's default is that it does not.
const SettingUnclean = "unclean.leader.election.enable"

// alter makes a topic that is there have the settings of the layout. Its partitions and
// replicas stay: other partitions would tear the records of a key apart, and replicas are
// for Kafka's own tools to move.
func (c *Cluster) alter(topic string, is map[string]string, want map[string]*string) error {
	entries := map[string]sarama.IncrementalAlterConfigsEntry{}
	for name, value := range want {
		if is[name] != *value {
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
