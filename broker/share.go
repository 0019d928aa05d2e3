package broker

import (
	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
)

// Share is the part of a table that one of several gateways holds, Index of 0 to Of-1.
// Of is a power of two, as the number of a table's partitions is, so that the keys of a
// share are those whose [topics.PartitionOf] Of is Index, however many partitions the
// table has. Of a table that has fewer than Of, several hold the same. The zero value is
// all of the table.
type Share struct{ Index, Of int }

// has says whether one of so many partitions belongs to the share.
func (s Share) has(partition int32, partitions int) bool {
	of := min(max(1, s.Of), partitions)
	return int(partition)%of == s.Index%of
}

// of lists those of so many partitions that belong to the share.
func (s Share) of(partitions int) (own []int32) {
	for p := range int32(partitions) {
		if s.has(p, partitions) {
			own = append(own, p)
		}
	}
	return own
}

// Follow sets which share of its table the view follows; it is to be called before Run.
func (v *View) Follow(s Share) { v.share = s }

// followed lists the partitions that the view follows.
func (v *View) followed() []int32 { return v.share.of(v.cluster.partitions(v.table)) }

func (v *View) follows(partition int32) bool {
	return v.share.has(partition, v.cluster.partitions(v.table))
}

// goka's views know all partitions of a table or none. The partitions of others are empty
// to the view, and nothing ever comes of them.

// sharedConsumer reads nothing of the partitions that the view does not follow.
type sharedConsumer struct {
	sarama.Consumer
	view *View
}

func (c sharedConsumer) ConsumePartition(topic string, partition int32, offset int64) (sarama.PartitionConsumer, error) {
	if c.view.follows(partition) {
		return c.Consumer.ConsumePartition(topic, partition, offset)
	}
	return idle{messages: make(chan *sarama.ConsumerMessage), errors: make(chan *sarama.ConsumerError)}, nil
}

// sharedManager says that the partitions are empty that the view does not follow.
type sharedManager struct {
	goka.TopicManager
	view *View
}

func (m sharedManager) GetOffset(topic string, partition int32, at int64) (int64, error) {
	if m.view.follows(partition) {
		return m.TopicManager.GetOffset(topic, partition, at)
	}
	return 0, nil
}

// idle is a partition of which nothing comes, with those of a consumer's methods that
// goka calls.
type idle struct {
	sarama.PartitionConsumer
	messages chan *sarama.ConsumerMessage
	errors   chan *sarama.ConsumerError
}

func (i idle) Messages() <-chan *sarama.ConsumerMessage { return i.messages }
func (i idle) Errors() <-chan *sarama.ConsumerError     { return i.errors }

// AsyncClose ends what waits for messages and errors; goka calls it once.
func (i idle) AsyncClose() {
	close(i.messages)
	close(i.errors)
}
