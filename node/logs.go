package node

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tipoff/broker"
	"tipoff/sink"
)

// watchLogs says in readiness and metrics which logs have lost their ends. The node is
// ready all the same, as what comes from now on counts.
func (n *Node) watchLogs() {
	n.part(partLogs, func() broker.State {
		losses := n.cluster.Losses()
		if len(losses) == 0 {
			return broker.State{Ready: true, Detail: "whole"}
		}
		var said []string
		for i, l := range losses {
			if i == mostLosses {
				said = append(said, fmt.Sprintf("and %d more", len(losses)-i))
				break
			}
			said = append(said, fmt.Sprintf("%s/%d lost %d records from offset %d", l.Topic, l.Partition, l.Records(), l.From))
		}
		return broker.State{Ready: true, Failing: true, Detail: strings.Join(said, ", ") +
			": run tipoff rebuild, which brings back what the database holds of them"}
	})
	n.registry.MustRegister(lossCollector{n.cluster})
}

// mostLosses bounds what readiness says.
const mostLosses = 10

// mended is called when a rebuilt table set serves.
func (n *Node) mended() {
	n.cluster.Mended()
	if n.embedded == nil {
		return
	}
	if err := n.embedded.Mended(); err != nil {
		n.log.Warn("the next start will name lost records again that the rebuild has brought back", "error", err)
	}
}

// lossCollector measures the ends of logs that are missing.
type lossCollector struct{ cluster *broker.Cluster }

var lostRecords = prometheus.NewDesc("tipoff_log_lost_records",
	"Records that a log had and has no more, noticed since this process started and not mended by a rebuild.", []string{"topic", "partition"}, nil)

func (lossCollector) Describe(out chan<- *prometheus.Desc) { out <- lostRecords }

func (c lossCollector) Collect(out chan<- prometheus.Metric) {
	type log struct {
		topic     string
		partition int32
	}
	lost := map[log]int64{}
	for _, l := range c.cluster.Losses() {
		lost[log{l.Topic, l.Partition}] += l.Records()
	}
	for of, records := range lost {
		out <- prometheus.MustNewConstMetric(lostRecords, prometheus.GaugeValue, float64(records), of.topic, strconv.Itoa(int(of.partition)))
	}
}

// comparePatience bounds a comparison: all rows of users and events are looked at.
const comparePatience = 10 * time.Second

// compareWithDatabase sees whether the logs are an older copy of themselves, as the
// database has rows of records that are yet to come. The broker inside this process then
// lets what comes be newer than those rows; Kafka outside must be set right by a person.
func (n *Node) compareWithDatabase(ctx context.Context, db *sink.Database) error {
	looking, cancel := context.WithTimeout(ctx, comparePatience)
	defer cancel()
	reached, err := db.Reached(looking)
	if err != nil {
		n.log.Info("the database does not say which records it has, so they are not compared with the logs", "error", err) // it has no schema yet, or is away
		return nil
	}
	var places []broker.Place
	for _, r := range reached {
		if r.TopicID == n.cluster.TopicID(r.Topic) {
			places = append(places, broker.Place{Topic: r.Topic, Partition: r.Partition, Sequence: r.Sequence})
		}
	}
	lost, epoch, err := n.cluster.Ahead(ctx, places)
	if err != nil {
		n.log.Warn("the logs cannot be compared with the database", "error", err)
		return nil
	}
	if len(lost) == 0 {
		return nil
	}
	n.cluster.Lost(lost)
	if n.embedded != nil {
		return n.embedded.Outdate(epoch, lost)
	}
	n.log.Error("the database is ahead of Kafka, which is an older copy of itself: new versions of users and events will not replace its rows. " +
		"Restore the database of the same time, or use an empty cluster; see docs/backup.md")
	return nil
}
