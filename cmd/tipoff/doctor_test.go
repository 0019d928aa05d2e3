package main

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"tipoff/doctor"
	"tipoff/topics"
)

// examined runs tipoff doctor and wants it to end with the status that it reports.
func examined(t *testing.T, args ...string) *doctor.Report {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"doctor", "--json", "--addr=" + freeAddress(t)}, args...), &out, &out)
	var status exitStatus
	if err != nil && !errors.As(err, &status) {
		t.Fatalf("tipoff doctor %v: %v\n%s", args, err, out.String())
	}
	r := &doctor.Report{}
	if err := json.Unmarshal(out.Bytes(), r); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if r.Exit != int(status) {
		t.Errorf("ends with status %d, and reports %d", status, r.Exit)
	}
	return r
}

// wantCheck wants a check to have come out so, with the words in what it says.
func wantCheck(t *testing.T, r *doctor.Report, area, name string, state doctor.State, words ...string) doctor.Check {
	t.Helper()
	i := slices.IndexFunc(r.Checks, func(c doctor.Check) bool { return c.Area == area && c.Name == name })
	if i < 0 {
		t.Fatalf("no check %s %s in %+v", area, name, r.Checks)
	}
	c := r.Checks[i]
	if c.State != state {
		t.Errorf("%s %s: %s (%s), want %s", area, name, c.State, c.Detail, state)
	}
	for _, word := range words {
		if !strings.Contains(fmt.Sprint(c.Detail, c.Advice), word) {
			t.Errorf("%s %s: %s %v, want %q", area, name, c.Detail, c.Advice, word)
		}
	}
	return c
}

// follow runs the tipoff commands that a check advises, which must end well.
func follow(t *testing.T, c doctor.Check) {
	t.Helper()
	ran := 0
	for _, a := range c.Advice {
		if len(a.Command) < 2 || a.Command[0] != "tipoff" {
			continue
		}
		ran++
		var out bytes.Buffer
		if err := run(t.Context(), a.Command[1:], &out, &out); err != nil {
			t.Errorf("%v: %v\n%s", a.Command, err, out.String())
		}
	}
	if ran == 0 {
		t.Errorf("%s %s advises no command of tipoff: %+v", c.Area, c.Name, c.Advice)
	}
}

// apart is a Kafka outside the process, and the flags that lead to it and to a database
// in a folder of the test's.
func apart(t *testing.T) (*kgo.Client, []string) {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.MaxVersions(kversion.V3_0_0()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	folder := t.TempDir()
	return client, []string{"--kafka=" + kafka.ListenAddrs()[0], "--database-url=sqlite:" + filepath.Join(folder, "mirror.db"), "--data=" + folder, "--watch=0"}
}

// produce appends records to the partitions that they name.
func produce(t *testing.T, client *kgo.Client, records ...*kgo.Record) {
	t.Helper()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func TestDoctor_CreatesNothingOnAnEmptyClusterAndNamesTheCommandThatDoes(t *testing.T) {
	t.Parallel()
	client, flags := apart(t)
	there := wantCheck(t, examined(t, flags...), "topics", "there", doctor.Wrong, "coupon_topic", "tipoff topics")
	if found, err := kadm.NewClient(client).ListTopics(t.Context()); err != nil || len(found) > 0 {
		t.Errorf("%v topics are there, %v", found.Names(), err)
	}
	follow(t, there)
	r := examined(t, flags...)
	for _, name := range []string{"there", "partitions", "settings", "elections"} {
		wantCheck(t, r, "topics", name, doctor.OK)
	}
}

func TestDoctor_TheCommandItNamesMendsWrongSettingsOfTopics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		topic, setting, value string
		check                 string
		state                 doctor.State
	}{
		{topics.Coupons, "retention.ms", "3600000", "settings", doctor.Wrong},
		{topics.Events, "message.timestamp.type", "CreateTime", "settings", doctor.Wrong},
		{topics.Rejected, "min.insync.replicas", "2", "settings", doctor.Wrong},
		{topics.TableBettors, "segment.ms", "604800000", "settings", doctor.Warning},
		{topics.Coupons, "unclean.leader.election.enable", "true", "elections", doctor.Wrong},
	} {
		t.Run(c.setting, func(t *testing.T) {
			t.Parallel()
			client, flags := apart(t)
			wantSaid(t, "all topics are", "topics", flags[0])
			wantCheck(t, examined(t, flags...), "topics", c.check, doctor.OK)
			alter(t, kadm.NewClient(client), c.topic, c.setting, c.value)
			wrong := wantCheck(t, examined(t, flags...), "topics", c.check, c.state, c.topic)
			follow(t, wrong)
			wantCheck(t, examined(t, flags...), "topics", c.check, doctor.OK)
		})
	}
}

// TestDoctor_NamesNoCommandThatWouldDropWhatIsKept: of a topic that may be somebody else's,
// or that keeps more than this shell's settings say.
func TestDoctor_NamesNoCommandThatWouldDropWhatIsKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ topic, setting, value, says string }{
		{topics.Users, "cleanup.policy", "delete", "Tipoff's own Kafka"},
		{topics.Coupons, "retention.ms", "-1", "set TIPOFF_RETENTION"},
		{topics.Coupons, "retention.ms", "77760000000", "set TIPOFF_RETENTION"},
	} {
		client, flags := apart(t)
		wantSaid(t, "all topics are", "topics", flags[0])
		alter(t, kadm.NewClient(client), c.topic, c.setting, c.value)
		wrong := wantCheck(t, examined(t, flags...), "topics", "settings", doctor.Wrong, c.topic, c.says)
		for _, advice := range wrong.Advice {
			if len(advice.Command) > 0 {
				t.Errorf("%s=%s: it names %v", c.setting, c.value, advice.Command)
			}
		}
	}
	// And who runs it all the same changes nothing of a topic that is not Tipoff's kind.
	client, flags := apart(t)
	wantSaid(t, "all topics are", "topics", flags[0])
	admin := kadm.NewClient(client)
	alter(t, admin, topics.Users, "cleanup.policy", "delete")
	alter(t, admin, topics.Coupons, "retention.ms", "3600000")
	if _, err := said(t, "topics", "--alter", flags[0]); err == nil || !strings.Contains(err.Error(), "cleanup.policy") {
		t.Errorf("it says %v", err)
	}
	configs, err := admin.DescribeTopicConfigs(t.Context(), topics.Coupons)
	if err != nil || len(configs) != 1 {
		t.Fatal(configs, err)
	}
	for _, c := range configs[0].Configs {
		if c.Key == "retention.ms" && c.MaybeValue() != "3600000" {
			t.Errorf("retention is %s: something was altered", c.MaybeValue())
		}
	}
}

func alter(t *testing.T, admin *kadm.Client, topic, setting, value string) {
	t.Helper()
	done, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: setting, Value: &value}}, topic)
	if err != nil || done[0].Err != nil {
		t.Fatal(err, done)
	}
}

func TestDoctor_NamesThePartitionsThatThereAre(t *testing.T) {
	t.Parallel()
	_, flags := apart(t)
	wantSaid(t, "all topics are", "topics", flags[0], "--partitions=4")
	wantCheck(t, examined(t, flags...), "topics", "partitions", doctor.OK)
	wrong := wantCheck(t, examined(t, append(flags, "--partitions=8")...), "topics", "partitions", doctor.Wrong, "has 4, not 8", "TIPOFF_PARTITIONS=4")
	command := wrong.Advice[0].Command
	if command[1] != "doctor" {
		t.Fatal(command)
	}
	wantCheck(t, examined(t, append(command[2:], flags[1:]...)...), "topics", "partitions", doctor.OK)
}

func TestDoctor_SaysThatNobodyReadsWhatWaits(t *testing.T) {
	t.Parallel()
	client, flags := apart(t)
	wantSaid(t, "all topics are", "topics", flags[0])
	wantCheck(t, examined(t, flags...), "groups", topics.GroupSink, doctor.Warning, "nobody is in it")
	for range 3 {
		produce(t, client, &kgo.Record{Topic: topics.Coupons, Partition: 5, Value: []byte("{}")})
	}
	r := examined(t, flags...)
	wantCheck(t, r, "groups", topics.GroupSink, doctor.Wrong, "3 records wait", "tipoff sink")
	wantCheck(t, r, "groups", topics.GroupBettors, doctor.Wrong, "3 records wait", "tipoff processors")
	wantCheck(t, r, "groups", topics.GroupFixtures, doctor.Warning, "0 records to read")
}

func TestDoctor_SaysThatAGroupWithMembersDoesNotMove(t *testing.T) {
	t.Parallel()
	client, flags := apart(t)
	wantSaid(t, "all topics are", "topics", flags[0])
	produce(t, client, &kgo.Record{Topic: topics.Coupons, Partition: 5, Value: []byte("{}")})
	member, err := kgo.NewClient(kgo.SeedBrokers(strings.TrimPrefix(flags[0], "--kafka=")), kgo.ClientID("slow"),
		kgo.ConsumerGroup(topics.GroupSink), kgo.ConsumeTopics(topics.Facts()...), kgo.DisableAutoCommit())
	if err != nil {
		t.Fatal(err)
	}
	defer member.Close()
	member.PollFetches(t.Context())
	flags[3] = "--watch=10ms"
	wantCheck(t, examined(t, flags...), "groups", topics.GroupSink, doctor.Wrong, "1 member", "coupon_topic/5", "slow@")
	if err := member.CommitRecords(t.Context(), &kgo.Record{Topic: topics.Coupons, Partition: 5}); err != nil {
		t.Fatal(err)
	}
	wantCheck(t, examined(t, flags...), "groups", topics.GroupSink, doctor.OK, "0 records to read")
}

func TestDoctor_SaysThatAGroupIsPastTheEndOfItsLog(t *testing.T) {
	t.Parallel()
	client, flags := apart(t)
	wantSaid(t, "all topics are", "topics", flags[0])
	produce(t, client, &kgo.Record{Topic: topics.Events, Partition: 2, Value: []byte("{}")})
	past := kadm.Offsets{}
	past.Add(kadm.Offset{Topic: topics.Events, Partition: 2, At: 5, LeaderEpoch: -1})
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), topics.GroupFixtures, past); err != nil {
		t.Fatal(err)
	}
	wantCheck(t, examined(t, flags...), "positions", "log ends", doctor.Wrong, "event_topic/2 lost 4 records from offset 1 on", "tipoff rebuild")
}

func TestDoctor_SaysThatATableIsOfANewerProgram(t *testing.T) {
	t.Parallel()
	client, flags := apart(t)
	wantSaid(t, "all topics are", "topics", flags[0])
	wantCheck(t, examined(t, flags...), "versions", "tables", doctor.OK)
	produce(t, client, &kgo.Record{Topic: topics.TableBettors, Partition: 1, Key: []byte("default/u"), Value: []byte{99, 1, 1}})
	wantCheck(t, examined(t, flags...), "versions", "tables", doctor.Wrong, "tipoff-bettors-table/1 has version 99", "tipoff rebuild")
}

func TestDoctor_SaysThatARecordCannotBeRead(t *testing.T) {
	t.Parallel()
	client, flags := apart(t)
	wantSaid(t, "all topics are", "topics", flags[0])
	wantCheck(t, examined(t, flags...), "broker", "logs", doctor.OK)
	appendDamaged(t, client, topics.Coupons)
	r := examined(t, flags...)
	wantCheck(t, r, "broker", "logs", doctor.Wrong, "coupon_topic/0")
	wantCheck(t, r, "topics", "settings", doctor.OK)
}

// appendDamaged appends a batch whose checksum is wrong by the time that it is stored:
// kfake dates it where the batch asks for that, after it has checked the sum.
func appendDamaged(t *testing.T, client *kgo.Client, topic string) {
	t.Helper()
	record := kmsg.Record{Value: []byte("{}")}
	record.Length = int32(len(record.AppendTo(nil)) - 1) // which takes one byte itself
	batch := kmsg.RecordBatch{Magic: 2, Attributes: 0x08, NumRecords: 1, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, Records: record.AppendTo(nil)}
	const lengthEnds, summed = 12, 21
	batch.Length = int32(len(batch.AppendTo(nil)) - lengthEnds)
	batch.CRC = int32(crc32.Checksum(batch.AppendTo(nil)[summed:], crc32.MakeTable(crc32.Castagnoli)))
	request := kmsg.NewPtrProduceRequest()
	request.Version, request.Acks, request.TimeoutMillis = 9, -1, 5000
	request.Topics = []kmsg.ProduceRequestTopic{{Topic: topic, Partitions: []kmsg.ProduceRequestTopicPartition{{Records: batch.AppendTo(nil)}}}}
	response, err := client.Request(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if code := response.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode; code != 0 {
		t.Fatal(kerr.ErrorForCode(code))
	}
}

func TestDoctor_ABrokerThatIsDownIsWrong(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := examined(t, "--kafka="+freeAddress(t), "--data="+folder)
	wantCheck(t, r, "broker", "reachable", doctor.Wrong, "KAFKA_BOOTSTRAP_SERVERS")
	wantCheck(t, r, "topics", "settings", doctor.Skipped)
	if r.Exit != doctor.ExitWrong {
		t.Errorf("status %d", r.Exit)
	}
}

func TestDoctor_WarningsAreWrongOnlyWhereStrictnessIsAskedFor(t *testing.T) {
	t.Parallel()
	at := []string{"--data=" + t.TempDir(), "--api-key=short"}
	r := examined(t, at...)
	wantCheck(t, r, "settings", "TIPOFF_API_KEY", doctor.Warning)
	if r.Exit != 0 {
		t.Errorf("status %d without --strict", r.Exit)
	}
	if r = examined(t, append(at, "--strict")...); r.Exit != doctor.ExitWrong {
		t.Errorf("status %d with --strict", r.Exit)
	}
	var out bytes.Buffer
	if status := statusOf(run(t.Context(), append([]string{"doctor", "--strict"}, at...), &out, &out), &out); status != 2 {
		t.Errorf("ends with %d: %s", status, out.String())
	}
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if strings.ContainsRune(line, '\x1b') || line == "" || strings.Contains(line, "exit status") {
			t.Errorf("writes %q", line)
		}
	}
}
