package broker

import (
	"cmp"
	"slices"
	"time"

	"tipoff"
	"tipoff/topics"
)

// Survey is what there is on a cluster, read without changing anything there: by
// [Inspect] of one that runs, by [InspectFolder] of a stopped embedded broker's files.
type Survey struct {
	Brokers []SurveyedBroker // by id; none of files
	Topics  map[string]SurveyedTopic
	Groups  map[string]SurveyedGroup
	Sets    topics.TableSets
	// Lost are the ends of logs that are missing: of files, what was counted there and is
	// there no more, and what no rebuild has mended yet; of a cluster, what groups had
	// finished and is there no more.
	Lost []Loss
	// Damaged are the logs that hold a batch which cannot be read, as topic/partition: of
	// files any batch, and a start cuts the log off there; of a cluster the newest one.
	Damaged []string
	// At is when all was read, by the clock of this machine.
	At time.Time

	histories map[claimed]*history
}

// SurveyedBroker is one broker.
type SurveyedBroker struct {
	ID      int32
	Address string
	Version string // a guess, as "v4.1", from the requests that it knows; "": it did not answer
	// Supported says that it knows the requests of Kafka 3.0, the oldest that we speak to.
	Supported bool
}

// SurveyedTopic is one topic.
type SurveyedTopic struct {
	ID         string
	Partitions []SurveyedPartition // by number
	Settings   map[string]string   // by Kafka's names
}

// Replicas is how many replicas the topic's partitions have; the least, where they differ.
func (t SurveyedTopic) Replicas() int {
	if len(t.Partitions) == 0 {
		return 0
	}
	return len(slices.MinFunc(t.Partitions, func(a, b SurveyedPartition) int { return cmp.Compare(len(a.Replicas), len(b.Replicas)) }).Replicas)
}

// SurveyedPartition is one partition.
type SurveyedPartition struct {
	Leader   int32   // -1: none
	Replicas []int32 // brokers
	InSync   []int32
	Begin    int64 // the offset of the oldest record
	End      int64 // the offset behind the newest one
	Newest   *SurveyedRecord
}

// SurveyedRecord is the newest record of a partition; of files nothing is known of it.
type SurveyedRecord struct {
	Appended time.Time // by the broker's clock; zero: its time is not the broker's
	Received time.Time // by the gateway's clock; zero: it does not say
	Value    []byte
}

// SurveyedGroup is one consumer group.
type SurveyedGroup struct {
	State     string   // as Kafka calls it: Stable, Empty, Dead, PreparingRebalance; "" of files
	Members   []string // client@host
	Committed map[string]map[int32]int64
}

// Lag is how many records of the topics the group has still to read, by topic. A group
// that has committed nothing on a partition has all of it to read.
func (s *Survey) Lag(group string, inputs []string) map[string]int64 {
	lag := map[string]int64{}
	for _, topic := range inputs {
		for number, p := range s.Topics[topic].Partitions {
			from := p.Begin
			if at, committed := s.Groups[group].Committed[topic][int32(number)]; committed {
				from = max(from, at)
			}
			lag[topic] += max(0, p.End-from)
		}
	}
	return lag
}

// Gone lists those of the places whose record the log has no more, and Ahead is which of
// them are not before the next one of their log; see [Cluster.Gone] and [Cluster.Ahead].
// Places on partitions that were not read are in neither.
func (s *Survey) Gone(places []Place) (gone []Place) {
	for _, p := range places {
		h := s.histories[claimed{p.Topic, p.Partition}]
		if h == nil {
			continue
		}
		_, isCut := h.cut(tipoff.SequenceEpoch(p.Sequence), tipoff.SequenceOffset(p.Sequence)+1)
		if isCut || p.Sequence >= tipoff.Sequence(h.current(), h.end) {
			gone = append(gone, p)
		}
	}
	return gone
}

// Wanted are the settings that a topic of so many replicas is to have, by Kafka's names.
func (l Layout) Wanted(t topics.Topic, replicas int) map[string]string {
	wanted := map[string]string{}
	for name, value := range l.settings(t, replicas) {
		wanted[name] = *value
	}
	return wanted
}

// StartRefuses says whether no process starts while a topic has another value of the
// setting than [Layout.Wanted].
func StartRefuses(setting string) bool { return slices.Contains(refused, setting) }

// compareLost notes where a group had finished more than the log has; last is the epoch
// of the last record it finished.
func (s *Survey) compareLost(group SurveyedGroup, last map[claimed]int32) {
	for topic, partitions := range group.Committed {
		for p, next := range partitions {
			h := s.histories[claimed{topic, p}]
			if h == nil {
				continue
			}
			if at, isCut := h.cut(last[claimed{topic, p}], next); isCut {
				s.addLoss(Loss{topic, p, at, next})
			}
		}
	}
}

// addLoss keeps the longest of the losses from the same place.
func (s *Survey) addLoss(l Loss) {
	for i := range s.Lost {
		if known := &s.Lost[i]; known.Topic == l.Topic && known.Partition == l.Partition {
			known.From, known.To = min(known.From, l.From), max(known.To, l.To)
			return
		}
	}
	s.Lost = append(s.Lost, l)
}

// order makes the same survey say the same.
func (s *Survey) order() {
	slices.SortFunc(s.Lost, func(a, b Loss) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	slices.Sort(s.Damaged)
	slices.SortFunc(s.Brokers, func(a, b SurveyedBroker) int { return cmp.Compare(a.ID, b.ID) })
}

// surveyedGroups are the groups of the table sets that processes work on, and the sink's.
func surveyedGroups(sets topics.TableSets) []string {
	groups := []string{topics.GroupSink}
	for _, set := range sets.Running() {
		groups = append(groups, set.Groups()...)
	}
	return groups
}

// surveyedTopics are the topics of all table sets, and those that are there in any case.
func surveyedTopics(sets topics.TableSets) []topics.Topic {
	all := topics.Shared()
	for _, set := range sets.All() {
		all = append(all, set.Topics()...)
	}
	return all
}
