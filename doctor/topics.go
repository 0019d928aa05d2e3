package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tipoff/broker"
	"tipoff/topics"
)

const areaTopics = "topics"

// topicNames are the topics that are there, in order.
func (e *examination) topicNames() []string {
	return slices.Sorted(maps.Keys(e.survey.Topics))
}

// wanted are the topics that are to be there.
func (e *examination) wanted() []topics.Topic {
	all := topics.Shared()
	for _, set := range e.survey.Sets.All() {
		all = append(all, set.Topics()...)
	}
	return all
}

// checkTopics sees whether all topics are there, as the settings say.
func (e *examination) checkTopics() {
	if e.survey == nil {
		e.unread(areaTopics, "settings", theBroker)
		return
	}
	var missing []string
	for _, t := range e.wanted() {
		if _, there := e.survey.Topics[t.Name]; !there {
			missing = append(missing, t.Name)
		}
	}
	if len(missing) > 0 {
		e.report.add(Check{Area: areaTopics, Name: "there", State: Wrong, Detail: "missing: " + some(missing),
			Advice: []Advice{{Do: "every start creates them, and so does:", Command: e.topicsCommand()}}})
	} else {
		e.report.ok(areaTopics, "there", "%s of %s", counted(int64(len(e.wanted())), "topic"), e.survey.Sets.Serving)
	}
	if len(missing) == len(e.wanted()) {
		return
	}
	e.checkPartitions()
	e.checkReplication()
	e.checkTopicSettings()
}

// checkPartitions sees whether topics that a group joins by key have equally many.
func (e *examination) checkPartitions() {
	var differ []string
	stated := e.Partitions
	for _, name := range topics.Facts() {
		stated = cmp.Or(stated, len(e.survey.Topics[name].Partitions))
	}
	stated = cmp.Or(stated, e.Layout().New)
	if err := (broker.Layout{Partitions: stated, Retention: e.Retention}).Validate(); err != nil {
		e.report.add(Check{Area: areaTopics, Name: "partitions", State: Wrong, Detail: fmt.Sprintf("the topics of the facts have %d, which is no power of two: no process starts", stated),
			Advice: []Advice{{Do: "go on with an empty cluster, and fill it from the database (docs/backup.md)"}}})
		return
	}
	counts := map[int]bool{}
	for _, t := range e.wanted() {
		have, there := e.survey.Topics[t.Name]
		if !there {
			continue
		}
		if t.Partitions == 0 {
			counts[len(have.Partitions)] = true
		}
		if want := cmp.Or(t.Partitions, stated); len(have.Partitions) != want {
			differ = append(differ, fmt.Sprintf("%s has %d, not %d", t.Name, len(have.Partitions), want))
		}
	}
	if len(differ) == 0 {
		e.report.ok(areaTopics, "partitions", "%d, and those of table sets as these say", stated)
		return
	}
	c := Check{Area: areaTopics, Name: "partitions", State: Wrong, Detail: some(differ) + ": no process starts"}
	if len(counts) == 1 {
		is := slices.Collect(maps.Keys(counts))[0]
		c.Advice = []Advice{{Do: fmt.Sprintf("set TIPOFF_PARTITIONS=%d on every process, as they are; for more of the tables' use `tipoff rebuild --table-partitions` then", is),
			Command: e.withPartitions(is)}}
	} else {
		c.Advice = []Advice{{Do: "records of one key are in partitions that no longer belong together: go on with an empty cluster, and fill it from the database (docs/backup.md)"}}
	}
	e.report.add(c)
}

// withPartitions is this examination again with the partitions that there are.
func (e *examination) withPartitions(is int) []string {
	flags := e.where(atBroker...)
	flags = slices.DeleteFunc(flags, func(flag string) bool { return strings.HasPrefix(flag, "--partitions=") })
	return append([]string{"tipoff", "doctor", "--partitions=" + strconv.Itoa(is)}, flags...)
}

// checkReplication sees whether the death of a broker takes anything away.
func (e *examination) checkReplication() {
	var differ, few []string
	for _, t := range e.wanted() {
		have, there := e.survey.Topics[t.Name]
		if !there {
			continue
		}
		switch is := have.Replicas(); {
		case e.Replication != 0 && is != e.Replication:
			differ = append(differ, fmt.Sprintf("%s has %d, not %d", t.Name, is, e.Replication))
		case is < 3:
			few = append(few, t.Name)
		}
	}
	c := Check{Area: areaTopics, Name: "replication", State: OK, Detail: "every topic has three replicas or more"}
	switch {
	case len(differ) > 0:
		c.State, c.Detail = Wrong, some(differ)+": no process starts"
		c.Advice = []Advice{{Do: "set TIPOFF_REPLICATION to what is there or to 0, or move the replicas with kafka-reassign-partitions.sh"}}
	case e.found.Folder != "":
		c.Detail = "one broker inside the process: its disk is all that keeps the facts"
	case len(few) > 0:
		c.State, c.Detail = Warning, "fewer than three replicas: "+some(few)+"; what Tipoff guarantees holds for three, two of them in sync"
		c.Advice = []Advice{{Do: "give each three replicas with kafka-reassign-partitions.sh, on three brokers or more; then:", Command: e.topicsCommand("--alter")}}
	}
	e.report.add(c)
}

// checkTopicSettings sees whether each topic keeps what the program wants kept.
func (e *examination) checkTopicSettings() {
	var refused, less []string
	var kinds, longer []string // of topics that keep otherwise, or longer, than the settings say
	for _, t := range e.wanted() {
		have, there := e.survey.Topics[t.Name]
		if !there {
			continue
		}
		want := e.Layout().Wanted(t, have.Replicas())
		for _, name := range slices.Sorted(maps.Keys(want)) {
			is := have.Settings[name]
			if broker.Meets(name, is, want[name], have.Replicas()) {
				continue
			}
			switch {
			case name == broker.SettingCleanup:
				kinds = append(kinds, t.Name)
			case name == broker.SettingRetention && keepsLonger(is, want[name]):
				longer = append(longer, t.Name)
			}
			line := fmt.Sprintf("%s: %s is %s, not %s", t.Name, name, cmp.Or(is, "unset"), want[name])
			if broker.StartRefuses(name) || tooMany(name, is, have.Replicas()) {
				refused = append(refused, line)
			} else {
				less = append(less, line)
			}
		}
	}
	c := Check{Area: areaTopics, Name: "settings", State: OK, Detail: "retention, compaction, timestamps and replicas in sync are as the program wants them"}
	switch {
	case len(refused) > 0:
		c.State, c.Detail = Wrong, some(append(refused, less...))
	case len(less) > 0:
		c.State, c.Detail = Warning, some(less)
	}
	switch {
	case c.State == OK:
	case len(kinds) > 0:
		c.Advice = []Advice{{Do: "see whether KAFKA_BOOTSTRAP_SERVERS names Tipoff's own Kafka; if it does, set cleanup.policy of " + some(kinds) + " with kafka-configs.sh, as nothing brings back what that removes"}}
	case len(longer) > 0:
		c.Advice = []Advice{{Do: "set TIPOFF_RETENTION to what is there, as the processes may have it; a shorter one drops older facts of " + some(longer) + " for good"}}
	default:
		c.Advice = []Advice{{Do: "this sets them as they should be:", Command: e.topicsCommand("--alter")}}
	}
	e.report.add(c)
	e.checkElections()
}

// keepsLonger says whether a topic keeps records for longer than wanted, both in
// milliseconds; below 0 for ever.
func keepsLonger(is, wanted string) bool {
	have, err := strconv.ParseInt(is, 10, 64)
	least, _ := strconv.ParseInt(wanted, 10, 64)
	return err == nil && (have < 0 || have > least)
}

// tooMany says whether a topic asks for more replicas in sync than it has.
func tooMany(setting, is string, replicas int) bool {
	n, err := strconv.Atoi(is)
	return setting == "min.insync.replicas" && err == nil && n > replicas
}

// checkElections sees whether a replica that lagged behind may become leader, by which a
// log loses its end.
func (e *examination) checkElections() {
	var unclean []string
	for _, t := range e.wanted() {
		if have := e.survey.Topics[t.Name]; have.Settings[broker.SettingUnclean] == "true" {
			unclean = append(unclean, t.Name)
		}
	}
	if len(unclean) == 0 {
		e.report.ok(areaTopics, "elections", "only replicas in sync become leaders")
		return
	}
	e.report.add(Check{Area: areaTopics, Name: "elections", State: Wrong,
		Detail: "a replica that lags behind may become leader, and acknowledged facts would be gone: " + some(unclean),
		Advice: []Advice{{Command: e.topicsCommand("--alter")}}})
}
