package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tipoff/topics"
)

// inspectTries is how often a request of an inspection is tried again.
const inspectTries = 2

// listOffsetsOf30 is the version of the request for offsets that Kafka 3.0 was the first to
// know, which is the oldest that we speak to (protocolVersion).
const listOffsetsOf30 = 7

// inspection is one reading of a cluster.
type inspection struct {
	config *Config
	admin  *kadm.Client
	epochs *epochs
	last   map[string]map[claimed]int32 // by group: the epoch of the last record it finished
	Survey
}

// Inspect reads what there is on the cluster that the configuration leads to. It changes
// nothing there: a topic that is missing stays so, which [Connect] would create. The
// error says that the cluster cannot be reached or asked; ctx bounds the whole.
func Inspect(ctx context.Context, config Config) (*Survey, error) {
	if _, err := config.sarama("tipoff-doctor"); err != nil { // it checks the settings
		return nil, err
	}
	client, err := config.franz("tipoff-doctor", kgo.RequestRetries(inspectTries))
	if err != nil {
		return nil, err
	}
	admin := kadm.NewClient(client)
	defer admin.Close()
	i := &inspection{config: &config, admin: admin, epochs: &epochs{admin: admin, all: map[read]*history{}}}
	i.Topics, i.Groups, i.last = map[string]SurveyedTopic{}, map[string]SurveyedGroup{}, map[string]map[claimed]int32{}
	if err := i.readBrokers(ctx); err != nil {
		return nil, err
	}
	// How far groups are is read before where logs end, as both move.
	for _, read := range []func(context.Context) error{i.readTableSets, i.readGroups, i.readTopics, i.readHistories, i.readNewest} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	i.At = time.Now() // after the newest records: none was appended later
	for name, g := range i.Groups {
		i.compareLost(g, i.last[name])
	}
	i.order()
	return &i.Survey, nil
}

// readBrokers asks which brokers there are, and of each which version it may be.
func (i *inspection) readBrokers(ctx context.Context) error {
	known, err := i.admin.BrokerMetadata(ctx)
	if err != nil {
		return fmt.Errorf("ask for the brokers: %w", err)
	}
	versions, err := i.admin.ApiVersions(ctx)
	if err != nil {
		return fmt.Errorf("ask for the brokers' versions: %w", err)
	}
	for _, b := range known.Brokers {
		one := SurveyedBroker{ID: b.NodeID, Address: fmt.Sprintf("%s:%d", b.Host, b.Port)}
		if v := versions[b.NodeID]; v.Err == nil && v.Raw() != nil {
			one.Version = v.VersionGuess()
			listing, _ := v.KeyMaxVersion(int16(kmsg.ListOffsets))
			one.Supported = listing >= listOffsetsOf30
		}
		i.Brokers = append(i.Brokers, one)
	}
	i.order()
	return nil
}

// readTableSets reads the newest record of the control topic, if there is one.
func (i *inspection) readTableSets(ctx context.Context) error {
	if err := i.readTopic(ctx, topics.Control); err != nil {
		return err
	}
	if len(i.Topics[topics.Control].Partitions) == 0 {
		return nil
	}
	if err := i.readNewestOf(ctx, []string{topics.Control}); err != nil {
		return err
	}
	newest := i.Topics[topics.Control].Partitions[0].Newest
	switch {
	case len(i.Damaged) > 0:
		return fmt.Errorf("the newest record of topic %s cannot be read", topics.Control)
	case newest == nil:
		return nil
	}
	if err := json.Unmarshal(newest.Value, &i.Sets); err != nil {
		return fmt.Errorf("read topic %s: %w", topics.Control, err)
	}
	return nil
}

func (i *inspection) readTopics(ctx context.Context) error {
	return i.readTopic(ctx, topicNames(surveyedTopics(i.Sets))...)
}

// readTopic reads topics; those that are not there are left out.
func (i *inspection) readTopic(ctx context.Context, names ...string) error {
	listed, err := i.admin.ListTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("ask for the topics: %w", err)
	}
	var there []string
	for name, t := range listed {
		switch {
		case errors.Is(t.Err, kerr.UnknownTopicOrPartition):
			continue
		case t.Err != nil:
			return fmt.Errorf("ask for topic %s: %w", name, t.Err)
		}
		there = append(there, name)
		one := SurveyedTopic{ID: sarama.Uuid(t.ID).String(), Settings: map[string]string{}, Partitions: make([]SurveyedPartition, len(t.Partitions))}
		for number, p := range t.Partitions {
			if int(number) < len(one.Partitions) {
				one.Partitions[number] = SurveyedPartition{Leader: p.Leader, Replicas: p.Replicas, InSync: p.ISR}
			}
		}
		i.Topics[name] = one
	}
	if len(there) == 0 {
		return nil
	}
	return errors.Join(i.readSettings(ctx, there), i.readEnds(ctx, there))
}

func (i *inspection) readSettings(ctx context.Context, names []string) error {
	all, err := i.admin.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return fmt.Errorf("ask for the topics' settings: %w", err)
	}
	for _, one := range all {
		if one.Err != nil {
			return fmt.Errorf("settings of topic %s: %w", one.Name, one.Err)
		}
		for _, setting := range one.Configs {
			i.Topics[one.Name].Settings[setting.Key] = setting.MaybeValue()
		}
	}
	return nil
}

// readEnds reads where logs begin and end. A partition without a leader says neither.
func (i *inspection) readEnds(ctx context.Context, names []string) error {
	begins, err := i.admin.ListStartOffsets(ctx, names...)
	if err != nil {
		return fmt.Errorf("ask where logs begin: %w", err)
	}
	ends, err := i.admin.ListEndOffsets(ctx, names...)
	if err != nil {
		return fmt.Errorf("ask where logs end: %w", err)
	}
	for _, name := range names {
		for number := range i.Topics[name].Partitions {
			p := &i.Topics[name].Partitions[number]
			if begin, known := begins.Lookup(name, int32(number)); known && begin.Err == nil {
				p.Begin = begin.Offset
			}
			if end, known := ends.Lookup(name, int32(number)); known && end.Err == nil {
				p.End = end.Offset
			}
		}
	}
	return nil
}

// readHistories asks under which epochs the records were appended that groups read, of
// the partitions that have a leader.
func (i *inspection) readHistories(ctx context.Context) (err error) {
	partitions := map[string][]int32{}
	for name, t := range i.Topics {
		for number, p := range t.Partitions {
			if p.Leader >= 0 && !isTable(name) {
				partitions[name] = append(partitions[name], int32(number))
			}
		}
	}
	i.histories, err = i.epochs.read(ctx, partitions)
	return err
}

// readGroups asks for the groups' members and for how far they are, of the groups that
// there are: to be asked for another one makes Kafka create the topic that groups are
// kept on.
func (i *inspection) readGroups(ctx context.Context) error {
	listed, err := i.admin.ListGroups(ctx)
	if err != nil {
		return fmt.Errorf("ask which groups there are: %w", err)
	}
	names := slices.DeleteFunc(surveyedGroups(i.Sets), func(name string) bool {
		_, there := listed[name]
		return !there
	})
	if len(names) == 0 {
		return nil
	}
	described, err := i.admin.DescribeGroups(ctx, names...)
	if err != nil {
		return fmt.Errorf("ask for the groups: %w", err)
	}
	for _, name := range names {
		d := described[name]
		if d.Err != nil && !errors.Is(d.Err, kerr.GroupIDNotFound) {
			return fmt.Errorf("group %s: %w", name, d.Err)
		}
		g := SurveyedGroup{State: d.State, Committed: map[string]map[int32]int64{}}
		for _, m := range d.Members {
			g.Members = append(g.Members, m.ClientID+"@"+m.ClientHost)
		}
		if i.last[name], err = i.readCommitted(ctx, name, &g); err != nil {
			return err
		}
		i.Groups[name] = g
	}
	return nil
}

// readCommitted reads how far a group is, and the epoch of the last record it finished.
func (i *inspection) readCommitted(ctx context.Context, group string, g *SurveyedGroup) (map[claimed]int32, error) {
	epochs := map[claimed]int32{}
	committed, err := i.admin.FetchOffsets(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return epochs, nil
	}
	if err != nil {
		return nil, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	for topic, partitions := range committed {
		for p, o := range partitions {
			if o.Err != nil {
				return nil, fmt.Errorf("offset of group %s, topic %s, partition %d: %w", group, topic, p, o.Err)
			}
			if o.At < 0 {
				continue
			}
			if g.Committed[topic] == nil {
				g.Committed[topic] = map[int32]int64{}
			}
			g.Committed[topic][p], epochs[claimed{topic, p}] = o.At, committedEpoch(o.Metadata)
		}
	}
	return epochs, nil
}

// readNewest reads the newest records of the facts, whose times tell the clocks, and of
// the tables, whose values tell their version.
func (i *inspection) readNewest(ctx context.Context) error {
	names := topics.Facts()
	for _, set := range i.Sets.All() {
		names = append(names, set.TableBettors(), set.TableFixtures(), set.TableLearner())
	}
	return i.readNewestOf(ctx, names)
}

// readNewestOf reads the newest record of each partition that has any. Compaction and
// retention leave it in its place. A partition on which it cannot be read is Damaged.
func (i *inspection) readNewestOf(ctx context.Context, names []string) error {
	from, waiting := map[string]map[int32]kgo.Offset{}, 0
	for _, name := range names {
		for number, p := range i.Topics[name].Partitions {
			if p.End > p.Begin && p.Leader >= 0 {
				if from[name] == nil {
					from[name] = map[int32]kgo.Offset{}
				}
				from[name][int32(number)] = kgo.NewOffset().At(p.End - 1)
				waiting++
			}
		}
	}
	if waiting == 0 {
		return nil
	}
	client, err := i.config.franz("tipoff-doctor", kgo.ConsumePartitions(from), kgo.FetchMaxWait(readOnce))
	if err != nil {
		return err
	}
	defer client.Close()
	for waiting > 0 {
		fetched := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read the newest records: %w", err)
		}
		fetched.EachError(func(topic string, p int32, _ error) {
			if log := (claimed{topic, p}).log(); !slices.Contains(i.Damaged, log) {
				i.Damaged = append(i.Damaged, log)
				waiting--
			}
		})
		fetched.EachRecord(func(r *kgo.Record) {
			p := &i.Topics[r.Topic].Partitions[r.Partition]
			if p.Newest == nil {
				waiting--
			}
			p.Newest = surveyed(r)
		})
	}
	return nil
}

// appendTime is a record's type of timestamp where the broker's clock has dated it.
const appendTime = 1

func surveyed(r *kgo.Record) *SurveyedRecord {
	headers := topics.ParseHeaders(func(yield func(string, []byte) bool) {
		for _, h := range r.Headers {
			if !yield(h.Key, h.Value) {
				return
			}
		}
	})
	s := &SurveyedRecord{Value: r.Value, Received: headers.Received}
	if r.Attrs.TimestampType() == appendTime {
		s.Appended = r.Timestamp
	}
	return s
}
