package broker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"

	"tipoff/topics"
)

// folderInspection is one reading of an embedded broker's files.
type folderInspection struct {
	folder  string
	before  kept
	mu      sync.Mutex
	control []byte // the newest value of the control topic
	Survey
}

// InspectFolder reads what a stopped embedded broker's folder holds. It opens nothing for
// writing: what a start would mend stays as it is, and is in the survey. All of the logs
// is read, as only their bytes tell whether they are whole.
func InspectFolder(folder string) (*Survey, error) {
	i := &folderInspection{folder: folder}
	i.Topics, i.Groups, i.At, i.histories = map[string]SurveyedTopic{}, map[string]SurveyedGroup{}, time.Now(), map[claimed]*history{}
	var err error
	if i.before, err = readEnds(folder); err != nil {
		return nil, err
	}
	if err := i.readTopics(); err != nil {
		return nil, fmt.Errorf("read the broker's folder: %w", err)
	}
	if err := i.readLogs(); err != nil {
		return nil, fmt.Errorf("read the broker's log: %w", err)
	}
	i.compareEnds()
	if len(i.control) > 0 {
		if err := json.Unmarshal(i.control, &i.Sets); err != nil {
			return nil, fmt.Errorf("read topic %s: %w", topics.Control, err)
		}
	}
	if err := i.readGroups(); err != nil {
		return nil, fmt.Errorf("read the broker's groups: %w", err)
	}
	i.order()
	return &i.Survey, nil
}

// readTopics reads what kfake wrote of the topics.
func (i *folderInspection) readTopics() error {
	var stored struct {
		Topics []struct {
			Name       string
			ID         []byte // base64 in the file
			Partitions int
			Replicas   int
			Configs    map[string]string
		}
	}
	text, err := os.ReadFile(filepath.Join(i.folder, "log", "topics.json"))
	if errors.Is(err, fs.ErrNotExist) { // before the first topic
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &stored)
	}
	if err != nil {
		return err
	}
	for _, t := range stored.Topics {
		if t.Partitions < 0 || t.Partitions > maxPartitions || t.Replicas > maxReplicas {
			return fmt.Errorf("topics.json: topic %q has %d partitions of %d replicas", t.Name, t.Partitions, t.Replicas)
		}
		var id sarama.Uuid
		copy(id[:], t.ID)
		one := SurveyedTopic{ID: id.String(), Settings: t.Configs, Partitions: make([]SurveyedPartition, t.Partitions)}
		for number := range one.Partitions {
			one.Partitions[number] = SurveyedPartition{Replicas: make([]int32, max(1, t.Replicas)), InSync: make([]int32, max(1, t.Replicas))}
		}
		i.Topics[t.Name] = one
	}
	return nil
}

// Bounds of what is believed of a damaged file.
const (
	maxPartitions = 1 << 16
	maxReplicas   = 16
)

// readLogs reads every log from its beginning to its end.
func (i *folderInspection) readLogs() error {
	logs, err := os.ReadDir(logsOf(i.folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return eachLog(logs, func(log string) error {
		topic := topicOf(log)
		_, p := splitLog(topic + "/" + strings.TrimPrefix(log, topic+"-"))
		i.mu.Lock()
		known := p >= 0 && int(p) < len(i.Topics[topic].Partitions) && log == fmt.Sprintf("%s-%d", topic, p)
		i.mu.Unlock()
		if !known {
			return nil
		}
		return i.readLog(filepath.Join(logsOf(i.folder), log), claimed{topic, p})
	})
}

// readLog reads one log. What an unfinished compaction has moved is read where it is, as
// a start puts it back.
func (i *folderInspection) readLog(log string, of claimed) error {
	r := logReading{walk: batchWalk{highest: i.before.highest()}, keep: of.topic == topics.Control}
	r.walk.visit = r.visit
	if err := r.read(log); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(linksOf(i.folder), linksMarker)); err == nil {
		linked := logReading{walk: batchWalk{highest: i.before.highest()}, keep: r.keep}
		linked.walk.visit = linked.visit
		if err := linked.read(filepath.Join(linksOf(i.folder), filepath.Base(log))); err != nil {
			return err
		}
		if linked.walk.next > r.walk.next {
			r = linked
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	p := &i.Topics[of.topic].Partitions[of.partition]
	begins := i.before.Logs[of.log()].Begin // what was before it has been let go
	p.Begin, p.End = max(r.first, begins), max(r.walk.next, begins)
	if len(r.begins) == 0 { // it is empty
		r.begins = []begin{{0, p.End}}
	}
	i.histories[of] = &history{begins: r.begins, end: p.End}
	if r.damaged {
		i.Damaged = append(i.Damaged, of.log())
	}
	if r.keep {
		i.control = r.value
	}
	return nil
}

func (c claimed) log() string { return fmt.Sprintf("%s/%d", c.topic, c.partition) }

// logReading is what is learnt while a log is read.
type logReading struct {
	walk    batchWalk
	keep    bool // the newest value
	first   int64
	begins  []begin
	value   []byte
	damaged bool
}

// anyValues are those of a topic that is no table: the newest of a key is the last one.
var anyValues = TableValues{Epoch: func([]byte) uint64 { return 0 }, Check: func([]byte) error { return nil }}

func (r *logReading) read(log string) error {
	files, err := logFiles(log)
	if err != nil {
		return err
	}
	for n, file := range files {
		r.walk.before = math.MaxInt64
		if n+1 < len(files) {
			r.walk.before = firstOffset(files[n+1])
		}
		r.walk.index = r.walk.index[:0]
		whole, size, err := r.walk.open(file)
		if err != nil {
			return err
		}
		if whole < size {
			r.damaged = true
			return nil
		}
	}
	return nil
}

func (r *logReading) visit(batch []byte) error {
	first, epoch := int64(binary.BigEndian.Uint64(batch)), int32(binary.BigEndian.Uint32(batch[batchEpoch:]))
	if len(r.begins) == 0 {
		r.first = first
	}
	if n := len(r.begins); n == 0 || r.begins[n-1].epoch != epoch {
		r.begins = append(r.begins, begin{epoch, first})
	}
	if !r.keep {
		return nil
	}
	l := shrunkLog{kept: newNewest[place](anyValues), codec: kgo.DefaultDecompressor()}
	if err := l.read(batch); err != nil {
		return err
	}
	for _, record := range l.kept.records {
		r.value = slices.Clone(record.value)
	}
	return nil
}

// compareEnds notes which logs end before what was counted, and what was known before to
// be lost.
func (i *folderInspection) compareEnds() {
	for _, l := range i.before.Losses {
		i.addLoss(l)
	}
	for log, had := range i.before.Logs {
		topic, p := splitLog(log)
		if p < 0 || int(p) >= len(i.Topics[topic].Partitions) {
			continue // the topic is gone, as after a rebuild
		}
		end := i.Topics[topic].Partitions[p].End
		if l := (Loss{topic, p, max(end, had.Begin), had.End}); l.Records() > 0 {
			i.addLoss(l)
		}
	}
}

// readGroups reads how far groups are from kfake's log of them: entries, each with its
// length (4), a checksum (4) of what follows, a version (2), and JSON. The last of a
// group and partition counts. An entry that was cut off ends the log.
func (i *folderInspection) readGroups() error {
	raw, err := os.ReadFile(filepath.Join(i.folder, "log", "groups.log"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	last := map[string]map[claimed]int32{}
	for _, name := range surveyedGroups(i.Sets) {
		i.Groups[name], last[name] = SurveyedGroup{Committed: map[string]map[int32]int64{}}, map[claimed]int32{}
	}
	const head, version = 8, 2
	for len(raw) >= head+version {
		length := int64(binary.LittleEndian.Uint32(raw))
		if length < version || length > int64(len(raw)-head) {
			break
		}
		entry := raw[head : head+length]
		if crc32.Checksum(entry, castagnoli) != binary.LittleEndian.Uint32(raw[4:]) {
			break
		}
		i.readGroupEntry(entry[version:], last)
		raw = raw[head+length:]
	}
	for name, g := range i.Groups {
		i.compareLost(g, last[name])
	}
	return nil
}

func (i *folderInspection) readGroupEntry(text []byte, last map[string]map[claimed]int32) {
	var e struct {
		Type     string  `json:"type"`
		Group    string  `json:"g"`
		Topic    string  `json:"t"`
		Part     int32   `json:"p"`
		Offset   int64   `json:"o"`
		Metadata *string `json:"m"`
	}
	if json.Unmarshal(text, &e) != nil {
		return
	}
	g, ours := i.Groups[e.Group]
	if !ours || e.Part < 0 || e.Offset < 0 {
		return
	}
	switch e.Type {
	case "commit":
		if g.Committed[e.Topic] == nil {
			g.Committed[e.Topic] = map[int32]int64{}
		}
		g.Committed[e.Topic][e.Part] = e.Offset
		last[e.Group][claimed{e.Topic, e.Part}] = -1
		if e.Metadata != nil {
			last[e.Group][claimed{e.Topic, e.Part}] = committedEpoch(*e.Metadata)
		}
	case "delete":
		delete(g.Committed[e.Topic], e.Part)
	}
}
