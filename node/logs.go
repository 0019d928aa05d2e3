package node

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"tipoff/broker"
)

// watchLogs says in readiness and metrics which logs have lost their ends. The node is
// ready all the same, as what comes from now on counts.
func (n *Node) watchLogs() {
	n.part("logs", func() broker.State {
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
		return broker.State{Ready: true, Detail: strings.Join(said, ", ") +
			": run tipoff rebuild, which brings back what the database holds of them"}
	})
	n.registry.MustRegister(lossCollector{n.cluster})
}

// mostLosses bounds what readiness says.
const mostLosses = 10

// mended is called when a rebuilt table set serves.
func (n *Node) mended() {
	n.cluster.Mended()
	if n.embedded != nil {
		n.embedded.Mended()
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
