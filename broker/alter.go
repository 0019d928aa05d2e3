package broker

import (
	"fmt"

	"github.com/IBM/sarama"
)

// settingRetention is how long a topic keeps records. It is all of a layout that can be
// changed on topics that are there: other partitions would tear the records of a key
// apart, and replicas are for Kafka's own tools to move.
const settingRetention = "retention.ms"

// alterRetention makes a topic keep its records for another time.
func (c *Cluster) alterRetention(topic, from, to string) error {
	err := c.admin.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{
		settingRetention: {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &to},
	}, false)
	if err != nil {
		return fmt.Errorf("set %s to %s: %w", settingRetention, to, err)
	}
	c.log.Info("topic keeps records for another time", "topic", topic, "from_ms", from, "to_ms", to)
	return nil
}
