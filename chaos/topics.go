package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/sync/errgroup"

	"tipoff/oracle"
	"tipoff/processors"
	"tipoff/topics"
)

// tape is a topic as far as it has been read.
type tape struct {
	topic   string
	next    [partitions]int64
	records []oracle.Record // of each partition in order
}

// read reads what came since, and returns it.
func (t *tape) read(client sarama.Client) (fresh []oracle.Record, err error) {
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	var parts [partitions][]oracle.Record
	var reading errgroup.Group
	for p := range int32(partitions) {
		reading.Go(func() (err error) {
			parts[p], err = t.readPartition(client, consumer, p)
			return err
		})
	}
	if err := reading.Wait(); err != nil {
		return nil, err
	}
	for _, part := range parts {
		fresh = append(fresh, part...)
	}
	t.records = append(t.records, fresh...)
	return fresh, nil
}

func (t *tape) readPartition(client sarama.Client, consumer sarama.Consumer, p int32) (fresh []oracle.Record, err error) {
	end, err := client.GetOffset(t.topic, p, sarama.OffsetNewest)
	if err != nil || t.next[p] >= end {
		return nil, err
	}
	part, err := consumer.ConsumePartition(t.topic, p, t.next[p])
	if err != nil {
		return nil, err
	}
	defer part.AsyncClose()
	for t.next[p] < end {
		select {
		case m := <-part.Messages():
			fresh = append(fresh, toRecord(m))
			t.next[p] = m.Offset + 1
		case <-time.After(15 * time.Second):
			return nil, fmt.Errorf("topic %s, partition %d has nothing at offset %d, before its end %d", t.topic, p, t.next[p], end)
		}
	}
	return fresh, nil
}

func toRecord(m *sarama.ConsumerMessage) oracle.Record {
	r := oracle.Record{Partition: m.Partition, Offset: m.Offset, Key: string(m.Key), Value: m.Value, Appended: m.Timestamp}
	for _, header := range m.Headers {
		if string(header.Key) == topics.HeaderReceived {
			if micro, err := strconv.ParseInt(string(header.Value), 10, 64); err == nil {
				r.Received = time.UnixMicro(micro)
			}
		}
	}
	return r
}

// noLag returns nil once every group has finished all that its topics hold.
func (h *harness) noLag() error {
	client, err := h.client()
	if err != nil {
		return err
	}
	defer client.Close()
	lag, err := h.lag(client)
	for group, behind := range lag {
		if behind > 0 {
			return fmt.Errorf("group %s is %d records behind", group, behind)
		}
	}
	return err
}

// groups are those whose work must be done, with the topics that each reads: the sink,
// and the processors as their graphs say.
func groups() map[string][]string {
	reads := map[string][]string{topics.GroupSink: topics.Facts()}
	for _, table := range processors.Tables() {
		graph := table.Graph(nil, topics.TableSet{})
		for _, input := range append(graph.InputStreams(), graph.LoopStream()) {
			if input != nil {
				reads[string(graph.Group())] = append(reads[string(graph.Group())], input.Topic())
			}
		}
	}
	return reads
}

// lag is how many records each group has still to commit.
func (h *harness) lag(client sarama.Client) (map[string]int64, error) {
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return nil, err
	}
	lag := map[string]int64{}
	for group, names := range groups() {
		asked := map[string][]int32{}
		for _, topic := range names {
			for p := range int32(partitions) {
				asked[topic] = append(asked[topic], p)
			}
		}
		committed, err := admin.ListConsumerGroupOffsets(group, asked)
		if err != nil {
			return nil, fmt.Errorf("offsets of group %s: %w", group, err)
		}
		for topic, parts := range asked {
			for _, p := range parts {
				end, err := client.GetOffset(topic, p, sarama.OffsetNewest)
				if err != nil {
					return nil, err
				}
				block := committed.GetBlock(topic, p)
				if block == nil || block.Err != sarama.ErrNoError {
					return nil, fmt.Errorf("group %s has no offset of %s/%d", group, topic, p)
				}
				lag[group] += end - max(0, block.Offset)
			}
		}
	}
	return lag, nil
}

// poison puts records that nobody can read on the fact topics, past the gateways.
func (h *harness) poison(round int) error {
	client, err := h.client()
	if err != nil {
		return err
	}
	defer client.Close()
	producer, err := sarama.NewSyncProducerFromClient(client)
	if err != nil {
		return err
	}
	defer producer.Close()
	for _, topic := range topics.Facts() {
		m := &sarama.ProducerMessage{
			Topic: topic, Partition: int32(round % partitions),
			Key: sarama.StringEncoder(topics.Key(company, fmt.Sprintf("poison-%d", round))), Value: sarama.StringEncoder("\xff{not json"),
		}
		if _, _, err := producer.SendMessage(m); err != nil {
			return err
		}
	}
	return nil
}

// isPoison says whether a record is one of [harness.poison].
func isPoison(r oracle.Record) bool { return !json.Valid(r.Value) }
