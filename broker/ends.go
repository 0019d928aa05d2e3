package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// ends is the embedded broker's own count of where its logs end, in a file beside
// them: what a log's recovery cut off, as its bytes were gone or damaged, it does not
// notice itself. The file also keeps the leader epoch, which a start raises for all
// partitions unless the end before was a clean one: what comes then is newer than all
// that may have been lost, counted or not.
type ends struct {
	cluster *kfake.Cluster
	folder  string // of the logs
	file    string
	every   *time.Ticker
	done    chan struct{}
	writing sync.WaitGroup

	mu      sync.Mutex
	kept    endsFile
	written []byte
}

type endsFile struct {
	Clean  bool            `json:"clean"` // the broker was closed
	Epoch  int32           `json:"epoch"`
	Logs   map[string]span `json:"logs"`             // by topic/partition
	Losses []Loss          `json:"losses,omitempty"` // that no rebuild has mended yet
}

// span is what a log holds: from offset Begin up to before End.
type span struct {
	Begin int64 `json:"begin"`
	End   int64 `json:"end"`
}

// countEvery is how often the ends are written, where they have moved.
const countEvery = 200 * time.Millisecond

// openEnds compares the count with the logs that the broker has opened, and keeps on
// counting until close is called.
func openEnds(cluster *kfake.Cluster, folder string) (*ends, error) {
	e := &ends{cluster: cluster, folder: filepath.Join(folder, "log", "partitions"), file: filepath.Join(folder, "ends.json"), done: make(chan struct{})}
	before, err := e.read()
	if err != nil {
		return nil, err
	}
	now := e.look()
	e.kept.Losses = before.Losses
	for log, had := range before.Logs {
		has, there := now[log]
		if !there || has.End >= had.End {
			continue
		}
		before.Clean = false
		loss := Loss{From: max(has.End, had.Begin), To: had.End}
		if loss.Topic, loss.Partition = splitLog(log); loss.Records() > 0 {
			e.kept.Losses = append(e.kept.Losses, loss)
		}
	}
	e.kept.Epoch = before.Epoch
	if !before.Clean && len(now) > 0 {
		e.kept.Epoch = max(e.kept.Epoch, e.highest(now)) + 1
	}
	if err := e.raise(now); err != nil {
		return nil, err
	}
	e.kept.Logs = now
	if err := e.write(true); err != nil {
		return nil, err
	}
	e.every = time.NewTicker(countEvery)
	e.writing.Go(e.count)
	return e, nil
}

func (e *ends) read() (kept endsFile, err error) {
	text, err := os.ReadFile(e.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return kept, nil
	case err != nil:
		return kept, fmt.Errorf("read where the broker's logs ended: %w", err)
	}
	if json.Unmarshal(text, &kept) != nil { // cut off with the logs
		return endsFile{}, nil
	}
	return kept, nil
}

// look returns what each log holds, by topic/partition.
func (e *ends) look() map[string]span {
	names := map[string]bool{}
	folders, _ := os.ReadDir(e.folder) // there is none before the first topic
	for _, f := range folders {
		if i := strings.LastIndexByte(f.Name(), '-'); i > 0 {
			if topic, err := url.PathUnescape(f.Name()[:i]); err == nil {
				names[topic] = true
			}
		}
	}
	logs := map[string]span{}
	for topic := range names {
		for _, info := range e.cluster.PartitionInfos(topic) {
			logs[fmt.Sprintf("%s/%d", topic, info.Partition)] = span{info.LogStartOffset, info.HighWatermark}
		}
	}
	return logs
}

// splitLog is the reverse of the name of a log, topic/partition.
func splitLog(log string) (topic string, partition int32) {
	i := strings.LastIndexByte(log, '/')
	number, _ := strconv.ParseInt(log[i+1:], 10, 32)
	return log[:max(0, i)], int32(number)
}

func (e *ends) highest(logs map[string]span) (epoch int32) {
	for log := range logs {
		if info := e.cluster.PartitionInfo(splitLog(log)); info != nil {
			epoch = max(epoch, info.Epoch)
		}
	}
	return epoch
}

// raise lifts every partition to the present epoch. The broker counts an epoch up by
// one each time that a partition is given to a node, be it the same one.
func (e *ends) raise(logs map[string]span) error {
	for log := range logs {
		topic, partition := splitLog(log)
		for info := e.cluster.PartitionInfo(topic, partition); info != nil && info.Epoch < e.kept.Epoch; {
			if err := e.cluster.MoveTopicPartition(topic, partition, info.Leader); err != nil {
				return fmt.Errorf("raise the epoch of %s: %w", log, err)
			}
			info.Epoch++
		}
	}
	return nil
}

func (e *ends) count() {
	for {
		select {
		case <-e.every.C:
			e.mu.Lock()
			e.kept.Logs = e.look()
			_ = e.write(false) // the next one may succeed; without it a loss is not named, but made good all the same
			e.mu.Unlock()
		case <-e.done:
			return
		}
	}
}

// write writes the file where it has changed; with sync it is on the disk afterwards.
func (e *ends) write(sync bool) error {
	text, err := json.Marshal(&e.kept)
	if err != nil || bytes.Equal(text, e.written) {
		return err
	}
	fresh := e.file + ".new"
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write where the broker's logs end: %w", err)
	}
	_, err = f.Write(text)
	if sync {
		err = errors.Join(err, f.Sync())
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write where the broker's logs end: %w", err)
	}
	if err := os.Rename(fresh, e.file); err != nil {
		return fmt.Errorf("write where the broker's logs end: %w", err)
	}
	e.written = text
	return nil
}

// losses are the ends of logs that are missing, and that no rebuild has mended.
func (e *ends) losses() []Loss {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.kept.Losses
}

// mended forgets the losses.
func (e *ends) mended() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept.Losses = nil
}

// stop ends the counting; last writes the last count, once nothing is written any more.
func (e *ends) stop() (last func() error) {
	e.every.Stop()
	close(e.done)
	e.writing.Wait()
	e.kept.Logs = e.look()
	return func() error {
		e.kept.Clean = true
		return e.write(true)
	}
}
