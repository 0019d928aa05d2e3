package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Before the broker opens its logs, those of tables are compacted that are worth it. kfake
// reads all of a log when it opens it, and views and processors read it from there; and
// its own compaction, while it runs, serves nobody and does not know epochs.

const (
	// shrinkFrom is from how many bytes on a log is compacted at a start, where it has
	// grown to twice what it was after the last time.
	shrinkFrom = 1 << 20

	tombstonesStay = 24 * time.Hour // as on Kafka (delete.retention.ms)

	shrunkFile = "compacted.json"
)

// shrinking is the compaction of all logs at a start.
type shrinking struct {
	folder string
	values TableValues

	mu    sync.Mutex
	sizes map[string]int64 // of each log after its last compaction, in bytes
}

// shrinkLogs compacts the logs of tables.
func shrinkLogs(folder string, values TableValues) error {
	if values.Epoch == nil {
		return nil
	}
	logs, err := os.ReadDir(logsOf(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s := &shrinking{folder: folder, values: values, sizes: map[string]int64{}}
	if text, err := os.ReadFile(filepath.Join(folder, shrunkFile)); err == nil {
		_ = json.Unmarshal(text, &s.sizes) // without it logs are compacted early
	}
	if err == nil {
		logs = slices.DeleteFunc(logs, func(log fs.DirEntry) bool { return !isTable(topicOf(log.Name())) })
		err = eachLog(logs, s.shrink)
	}
	text, failed := json.Marshal(s.sizes) // also of those that went well
	return errors.Join(err, failed, writePrivate(filepath.Join(folder, shrunkFile), string(text)))
}

// isTable says whether a topic is the log of a table: goka names them so.
func isTable(topic string) bool { return strings.HasSuffix(topic, "-table") }

// topicOf is the topic of a log, which is named topic-partition.
func topicOf(log string) string { return log[:max(0, strings.LastIndexByte(log, '-'))] }

// shrinkingOf is the folder in which logs are written again, and where one waits that is
// replaced.
func shrinkingOf(folder string) string { return filepath.Join(folder, "compacting") }

const replaced = ".replaced" // ends the name of a log that waits there

// finishShrinking puts back a log that was being replaced when the process ended.
func finishShrinking(folder string) error {
	logs, err := os.ReadDir(shrinkingOf(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range logs {
		name, waits := strings.CutSuffix(entry.Name(), replaced)
		log := filepath.Join(logsOf(folder), name)
		if _, missing := os.Stat(log); waits && errors.Is(missing, fs.ErrNotExist) {
			err = errors.Join(err, os.Rename(filepath.Join(shrinkingOf(folder), entry.Name()), log))
		}
	}
	if err != nil {
		return fmt.Errorf("put back the broker's log of before its compaction: %w", err)
	}
	return os.RemoveAll(shrinkingOf(folder))
}

// shrink compacts one log if it is worth it.
func (s *shrinking) shrink(name string) error {
	log := filepath.Join(logsOf(s.folder), name)
	files, err := logFiles(log)
	if err != nil {
		return err
	}
	size, err := sizeOf(files)
	s.mu.Lock()
	before := s.sizes[name]
	s.mu.Unlock()
	if err != nil || size < shrinkFrom || size < 2*before {
		return err
	}
	l := &shrunkLog{kept: newNewest[place](s.values), codec: kgo.DefaultDecompressor()}
	walk := batchWalk{highest: math.MaxInt32, before: math.MaxInt64, visit: l.read}
	for _, file := range files {
		if whole, size, err := walk.open(file); err != nil || whole < size {
			return err
		}
	}
	if l.foreign {
		return nil
	}
	to := filepath.Join(shrinkingOf(s.folder), name)
	if err := errors.Join(os.RemoveAll(to), os.MkdirAll(to, 0o700)); err != nil {
		return err
	}
	size, err = l.write(to, time.Now())
	if err == nil {
		err = s.replace(log, to, files)
	}
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sizes[name] = size
	}
	return err
}

// replace puts the files that are written in the place of a log, with what else lies
// beside it.
func (s *shrinking) replace(log, with string, files []string) error {
	entries, err := os.ReadDir(log)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasSuffix(name, ".damaged") {
			err = errors.Join(err, os.Link(filepath.Join(log, name), filepath.Join(with, name)))
		}
	}
	was := with + replaced
	err = errors.Join(err, syncFolder(with), syncFolder(filepath.Dir(with)))
	if err == nil {
		err = os.Rename(log, was)
	}
	if err == nil {
		err = os.Rename(with, log)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(log))
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(was)
}

func sizeOf(files []string) (size int64, err error) {
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return 0, err
		}
		size += info.Size()
	}
	return size, nil
}
