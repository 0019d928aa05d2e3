package broker

import (
	"encoding/binary"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tipoff/topics"
)

// filled is the folder of a broker that was stopped with ten coupons on partition 3.
func filled(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	e, err := OpenEmbedded(t.Context(), folder, false, TableValues{})
	if err != nil {
		t.Fatal(err)
	}
	config := e.Config()
	cluster, err := Connect(t.Context(), config, Layout{Partitions: 4, Retention: time.Hour}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client, err := config.franz("test", kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 { // each a batch of its own
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topics.Coupons, Partition: 3, Value: []byte("{}")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	running, err := Inspect(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	if err := cluster.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	stopped, err := InspectFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	for name, topic := range running.Topics {
		files := stopped.Topics[name]
		if files.ID != topic.ID || len(files.Partitions) != len(topic.Partitions) || files.Settings["cleanup.policy"] != topic.Settings["cleanup.policy"] {
			t.Errorf("topic %s: running %+v, stopped %+v", name, topic, files)
		}
	}
	if p := stopped.Topics[topics.Coupons].Partitions[3]; p.Begin != 0 || p.End != 10 || len(stopped.Lost)+len(stopped.Damaged) > 0 {
		t.Errorf("%+v, lost %v, damaged %v", p, stopped.Lost, stopped.Damaged)
	}
	return folder
}

func TestInspectFolder_SaysHowManyRecordsOfALogAreGone(t *testing.T) {
	t.Parallel()
	folder := filled(t)
	log := filepath.Join(logsOf(folder), topics.Coupons+"-3", "0.dat")
	info, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(log, info.Size()*6/10); err != nil {
		t.Fatal(err)
	}
	s, err := InspectFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Loss{{topics.Coupons, 3, 6, 10}}; !slices.Equal(s.Lost, want) {
		t.Errorf("lost %v, want %v", s.Lost, want)
	}
}

func TestInspectFolder_OutlastsWhateverItsFilesHold(t *testing.T) {
	t.Parallel()
	entry := func(text string) []byte {
		body := append([]byte{1, 0}, text...)
		raw := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
		return append(binary.LittleEndian.AppendUint32(raw, crc32.Checksum(body, castagnoli)), body...)
	}
	for name, text := range map[string][]byte{
		"ends.json":       []byte(`{"clean":true,"logs":{"coupon_topic/-1":{"begin":0,"end":9},"/":{"end":5},"coupon_topic":{"end":3}}}`),
		"log/groups.log":  append(entry(`{"type":"commit","g":"tipoff-sink","t":"coupon_topic","p":-7,"o":5}`), entry("nonsense")...),
		"log/topics.json": []byte(`{"topics":[{"name":"coupon_topic","id":"AAAA","partitions":-1,"replicas":99999999}]}`),
		"epoch.json":      []byte("\x00\x00"),
	} {
		folder := filled(t)
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, strange := range []string{"coupon_topic--1", "coupon_topic-x", "-", "coupon_topic-99"} {
			if err := os.MkdirAll(filepath.Join(logsOf(folder), strange), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		s, err := InspectFolder(folder)
		if (err != nil) != (name == "log/topics.json") {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && len(s.Groups[topics.GroupSink].Committed) > 0 {
			t.Errorf("%s: %+v", name, s.Groups)
		}
	}
}
