package node

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tipoff/broker"
	"tipoff/processors"
	"tipoff/rank"
	"tipoff/sink"
	"tipoff/topics"
)

// gauges are values that are read when somebody asks for the metrics.
type gauges struct {
	collect func(emit func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string))
	descs   []*prometheus.Desc
}

func (g gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range g.descs {
		out <- d
	}
}

func (g gauges) Collect(out chan<- prometheus.Metric) {
	g.collect(func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	})
}

func oneIf(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

// measureProcess measures what the process is: its roles, whether its parts are ready,
// and the room on the disk that it writes to, if it keeps anything on one.
func (n *Node) measureProcess(has map[Role]bool) {
	role := prometheus.NewDesc("tipoff_role_info", "1 for each role of the process.", []string{"role"}, nil)
	ready := prometheus.NewDesc("tipoff_part_ready", "1 for a part of the process that is ready, 0 for one that is not; /readyz says why.", []string{"part"}, nil)
	free := prometheus.NewDesc("tipoff_data_free_bytes", "Bytes that this process may still write to the disk of TIPOFF_DATA or of SQLite's file, whichever has less of its size.", nil, nil)
	size := prometheus.NewDesc("tipoff_data_size_bytes", "Size of the disk of tipoff_data_free_bytes.", nil, nil)
	folders := n.settings.writtenBy(has)
	n.registry.MustRegister(gauges{func(emit func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
		for one := range has {
			emit(role, prometheus.GaugeValue, 1, one.String())
		}
		parts := map[string]bool{} // two of one name are one: a name is a label here
		for _, p := range n.Readiness().Parts {
			before, twice := parts[p.Name]
			parts[p.Name] = p.Ready && (before || !twice)
		}
		for name, is := range parts {
			emit(ready, prometheus.GaugeValue, oneIf(is), name)
		}
		if room, known := leastRoom(folders); known {
			emit(free, prometheus.GaugeValue, room.free)
			emit(size, prometheus.GaugeValue, room.size)
		}
	}, []*prometheus.Desc{role, ready, free, size}})
}

// room is what a disk has, in bytes.
type room struct{ free, size float64 }

// leastRoom is that of the fullest disk of those that the folders are on. It is not known of
// a folder that is not there yet, or where the system does not say.
func leastRoom(folders []string) (least room, known bool) {
	for _, folder := range folders {
		r, err := roomOf(folder)
		if err == nil && (!known || r.free*least.size < least.free*r.size) {
			least, known = r, true
		}
	}
	return least, known
}

// measureViews measures the tables in memory, and returns what to call when a
// change of a table became visible: the time since the gateway received the fact
// behind it.
func (n *Node) measureViews() (fresh func(table string, received time.Time)) {
	size := prometheus.NewDesc("tipoff_view_entries", "Entries in memory, by company and kind.", []string{"company", "kind"}, nil)
	n.registry.MustRegister(gauges{func(emit func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
		v := n.views.Load()
		if v == nil { // the tables are not known yet
			return
		}
		for _, s := range v.Sizes() {
			emit(size, prometheus.GaugeValue, float64(s.Bettors), s.Company, "bettors")
			emit(size, prometheus.GaugeValue, float64(s.Fixtures), s.Company, "fixtures")
			emit(size, prometheus.GaugeValue, float64(s.OpenOnes), s.Company, "open events")
		}
	}, []*prometheus.Desc{size}})
	freshness := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "tipoff_freshness_seconds",
		Help:    "Time from a fact at the gateway to its effect in a view, by table; of facts older than an hour, which are read again, none.",
		Buckets: []float64{.001, .002, .003, .005, .01, .02, .05, .1, .25, .5, 1, 5, 30, 300},
	}, []string{"table"})
	n.registry.MustRegister(freshness)
	tables := map[string]prometheus.Observer{}
	for _, table := range []string{topics.TableBettors, topics.TableFixtures} {
		tables[table] = freshness.WithLabelValues(table)
	}
	started := time.Now()
	return func(table string, received time.Time) {
		if received.After(started) { // else it is read again after a start
			now := time.Now()
			tables[table].Observe(now.Sub(received).Seconds())
			n.status.fresh.add(now.Sub(received), now)
		}
	}
}

// liveWindows are the spans of time over which the live quality is measured.
var liveWindows = []string{"1h", "24h"}

// measureLearning measures how well recommendations foresee coupons, by company.
func (n *Node) measureLearning() {
	window := []string{"company", "window"}
	hr := prometheus.NewDesc("tipoff_live_hit_ratio", "Share of the coupons of which a leg was among the first 10 of the learnt ranking, before variety, by the coupons' clock.", window, nil)
	ndcg := prometheus.NewDesc("tipoff_live_ndcg", "NDCG@10 of the learnt ranking, before variety, against the coupons made next, by the coupons' clock.", window, nil)
	popularNDCG := prometheus.NewDesc("tipoff_live_popular_ndcg", "NDCG@10 of popularity against the same coupons as tipoff_live_ndcg, before variety.", window, nil)
	popularHR := prometheus.NewDesc("tipoff_live_popular_hit_ratio", "Share of the same coupons of which a leg was among the first 10 by popularity.", window, nil)
	coupons := prometheus.NewDesc("tipoff_live_coupons", "Coupons that the live quality is measured on.", window, nil)
	steps := prometheus.NewDesc("tipoff_learner_coupons_total", "Coupons that a company's model has learnt from.", []string{"company"}, nil)
	rankers := prometheus.NewDesc("tipoff_learner_ndcg", "Running NDCG@10 of each way to rank that the learner compares.", []string{"company", "ranker"}, nil)
	leader := prometheus.NewDesc("tipoff_learner_leads", "1 for the way to rank that serves a company.", []string{"company", "ranker"}, nil)
	n.registry.MustRegister(gauges{func(emit func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
		v := n.views.Load()
		if v == nil {
			return
		}
		for _, l := range v.LearningStats() {
			for i, span := range []rank.LiveSpan{l.Hour, l.Day} {
				emit(coupons, prometheus.GaugeValue, float64(span.Coupons), l.Company, liveWindows[i])
				if span.Coupons > 0 {
					emit(hr, prometheus.GaugeValue, span.HR/float64(span.Coupons), l.Company, liveWindows[i])
					emit(ndcg, prometheus.GaugeValue, span.NDCG/float64(span.Coupons), l.Company, liveWindows[i])
				}
				if span.Compared > 0 {
					emit(popularHR, prometheus.GaugeValue, span.PopularHR/float64(span.Compared), l.Company, liveWindows[i])
					emit(popularNDCG, prometheus.GaugeValue, span.PopularNDCG/float64(span.Compared), l.Company, liveWindows[i])
				}
			}
			emit(steps, prometheus.CounterValue, float64(l.Steps), l.Company)
			for name, quality := range l.Rankers {
				emit(rankers, prometheus.GaugeValue, quality, l.Company, name)
			}
			emit(leader, prometheus.GaugeValue, 1, l.Company, l.Leader)
		}
	}, []*prometheus.Desc{hr, ndcg, popularHR, popularNDCG, coupons, steps, rankers, leader}})
}

// learnerCollector measures what the learner had no time for.
func learnerCollector(group string, l *processors.Learner) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name:        "tipoff_learner_passed_total",
		Help:        "Coupons that nothing was learnt from, as there were too many in a second, or they came too late.",
		ConstLabels: prometheus.Labels{"group": group},
	}, func() float64 { return float64(l.Passed()) })
}

func (n *Node) measurePublisher(p *broker.Publisher) {
	n.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tipoff_publisher_outstanding_bytes", Help: "Bytes of facts that wait for the broker's acknowledgement.",
	}, func() float64 { return float64(p.Outstanding()) }))
}

// ownerCollector measures what a processor has not finished, and which partitions of
// its table wait for a person.
func ownerCollector(group string, owner *broker.Owner) prometheus.Collector {
	labels := prometheus.Labels{"group": group}
	unfinished := prometheus.NewDesc("tipoff_processor_oldest_unfinished_seconds",
		"How long the oldest record that a processor was given is not finished.", nil, labels)
	person := prometheus.NewDesc("tipoff_needs_person",
		"1 for a partition of a table that cannot be used before a person has done something about it, as /readyz says; 0 for the others that this process has.",
		[]string{"partition"}, labels)
	return gauges{func(emit func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
		emit(unfinished, prometheus.GaugeValue, owner.Unfinished(time.Now()).Seconds())
		refused := owner.Refused()
		for _, partition := range owner.Partitions() {
			emit(person, prometheus.GaugeValue, oneIf(refused[partition] != nil), fmt.Sprint(partition))
		}
	}, []*prometheus.Desc{unfinished, person}}
}

func (n *Node) measureSink(s *sink.Sink) {
	rows := prometheus.NewDesc("tipoff_sink_rows_total", "Rows written into the database, by table.", []string{"table"}, nil)
	unsaved := prometheus.NewDesc("tipoff_sink_oldest_unsaved_seconds", "Age of the oldest fact read and not yet saved.", nil, nil)
	rejected := prometheus.NewDesc("tipoff_sink_rejected_total", "Facts that the database refused for good.", nil, nil)
	from := rejectedDesc(topics.GroupSink)
	failing := prometheus.NewDesc("tipoff_sink_failing", "1 while facts wait, by the reason: why the database does not take them.", []string{"kind"}, nil)
	n.registry.MustRegister(gauges{func(emit func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
		p := s.Progress(time.Now())
		for table, n := range p.Rows {
			emit(rows, prometheus.CounterValue, float64(n), table)
		}
		emit(unsaved, prometheus.GaugeValue, p.Unsaved.Seconds())
		all := int64(0)
		for _, topic := range topics.Facts() {
			all += p.Rejected[topic]
			emit(from, prometheus.CounterValue, float64(p.Rejected[topic]), topic, string(topics.RefusedByDatabase))
		}
		emit(rejected, prometheus.CounterValue, float64(all))
		for _, kind := range sink.Kinds() {
			emit(failing, prometheus.GaugeValue, float64(min(p.Waiting[kind], 1)), string(kind))
		}
	}, []*prometheus.Desc{rows, unsaved, rejected, from, failing}})
}

// rejectedDesc describes how many records a group has put on the topic of rejections.
func rejectedDesc(group string) *prometheus.Desc {
	return prometheus.NewDesc("tipoff_rejected_total",
		"Records that could not be used and are on tipoff-rejected, by the topic that they came from and the kind of reason; one delivered again counts again.",
		[]string{"topic", "reason"}, prometheus.Labels{"group": group})
}

// rejectedCollector measures what a processor rejects of the topics, from 0 on, so that
// the first one shows.
func rejectedCollector(group string, from []string, owner *broker.Owner) prometheus.Collector {
	desc := rejectedDesc(group)
	return gauges{func(emit func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
		rejections := owner.Rejections()
		for _, topic := range from {
			for _, kind := range topics.ProcessorRejections() {
				emit(desc, prometheus.CounterValue, float64(rejections[broker.RejectedAs{Topic: topic, Kind: kind}]), topic, string(kind))
			}
		}
	}, []*prometheus.Desc{desc}}
}

// restartsCollector measures how often a part has ended and was started again.
func restartsCollector(part string, restarts func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name:        "tipoff_restarts_total",
		Help:        "How often a part of the process has ended and was started again.",
		ConstLabels: prometheus.Labels{"part": part},
	}, func() float64 { return float64(restarts()) })
}

// lagCollector measures how far a consumer group is behind.
func lagCollector(lag *broker.Lag) prometheus.Collector {
	desc := prometheus.NewDesc("tipoff_group_lag_records", "Records that a consumer group has still to read.",
		[]string{"topic"}, prometheus.Labels{"group": lag.Group})
	return gauges{func(emit func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
		for topic, records := range lag.ByTopic() {
			emit(desc, prometheus.GaugeValue, float64(records), topic)
		}
	}, []*prometheus.Desc{desc}}
}
