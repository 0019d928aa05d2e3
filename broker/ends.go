package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
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
// notice itself. A file of its own keeps the leader epoch, which a start raises for all
// partitions unless the end before was a clean one: what comes then is newer than all
// that may have been lost, counted or not.
type ends struct {
	cluster *kfake.Cluster
	folder  string
	every   *time.Ticker
	done    chan struct{}
	writing sync.WaitGroup

	mu      sync.Mutex
	kept    kept
	written map[string][]byte // by file
}

type kept struct {
	endsCount
	endsLife
	sure bool // the epoch was read
}

type endsCount struct {
	Clean bool            `json:"clean"` // the broker was closed
	Logs  map[string]span `json:"logs"`  // by topic/partition
}

type endsLife struct {
	Epoch  int32  `json:"epoch"`
	Losses []Loss `json:"losses"` // that no rebuild has mended yet
}

// span is what a log holds: from offset Begin up to before End.
type span struct {
	Begin int64 `json:"begin"`
	End   int64 `json:"end"`
}

// countEvery is how often the ends are written, where they have moved.
const countEvery = 200 * time.Millisecond

// The files: that of the counted ends is written often, that of the epoch and the losses
// when they change.
const (
	countFile = "ends.json"
	lifeFile  = "epoch.json"
)

// epochSlack is how far beyond the epoch that was written down a batch's may lie, before
// it is taken for damage: a former program did not wait for the disk.
const epochSlack = 1024

// highest is the highest epoch that a batch in the log can have.
func (k *kept) highest() int32 {
	if !k.sure {
		return math.MaxInt32
	}
	return k.Epoch + epochSlack
}

// openEnds compares what was counted before with the logs that the broker has opened, and
// keeps on counting until close is called.
func openEnds(cluster *kfake.Cluster, folder string, before kept) (*ends, error) {
	e := &ends{cluster: cluster, folder: folder, done: make(chan struct{}), written: map[string][]byte{}}
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
	if err := e.writeAll(); err != nil {
		return nil, err
	}
	e.every = time.NewTicker(countEvery)
	e.writing.Go(e.keepCounting)
	return e, nil
}

// readEnds returns what the life before wrote. A program of before wrote all in one file.
func readEnds(folder string) (before kept, err error) {
	for _, name := range []string{countFile, lifeFile} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return before, fmt.Errorf("read where the broker's logs ended: %w", err)
		}
		was := before
		if json.Unmarshal(text, &before) != nil { // cut off with the logs
			before = was
			before.Clean = false
		} else if name == lifeFile {
			before.sure = true
		}
		before.Epoch = max(before.Epoch, was.Epoch)
	}
	return before, nil
}

// look returns what each log holds, by topic/partition.
func (e *ends) look() map[string]span {
	var known struct{ Topics []struct{ Name string } }
	text, err := os.ReadFile(filepath.Join(e.folder, "log", "topics.json"))
	if err == nil { // else there is no topic yet
		_ = json.Unmarshal(text, &known) // the broker itself reads it, and says so
	}
	logs := map[string]span{}
	for _, topic := range known.Topics {
		for _, info := range e.cluster.PartitionInfos(topic.Name) {
			logs[fmt.Sprintf("%s/%d", topic.Name, info.Partition)] = span{info.LogStartOffset, info.HighWatermark}
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

func (e *ends) keepCounting() {
	for {
		select {
		case <-e.every.C:
			e.mu.Lock()
			e.kept.Logs = e.look()
			_ = e.write(countFile, &e.kept.endsCount, false) // the next one may succeed; without it a loss is not named, but made good all the same
			e.mu.Unlock()
		case <-e.done:
			return
		}
	}
}

// writeAll writes both files; they are on the disk afterwards.
func (e *ends) writeAll() error {
	return errors.Join(e.write(lifeFile, &e.kept.endsLife, true), e.write(countFile, &e.kept.endsCount, true))
}

// write writes a file where it has changed.
func (e *ends) write(file string, what any, sync bool) error {
	text, err := json.Marshal(what)
	if err != nil || bytes.Equal(text, e.written[file]) {
		return err
	}
	if err := replaceFile(filepath.Join(e.folder, file), text, sync); err != nil {
		return fmt.Errorf("write where the broker's logs end: %w", err)
	}
	e.written[file] = text
	return nil
}

// losses are the ends of logs that are missing, and that no rebuild has mended.
func (e *ends) losses() []Loss {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.kept.Losses
}

// mended forgets the losses.
func (e *ends) mended() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept.Losses = nil
	return e.write(lifeFile, &e.kept.endsLife, true)
}

// stop ends the counting; last writes the last count, once nothing is written any more.
func (e *ends) stop() (last func() error) {
	e.every.Stop()
	close(e.done)
	e.writing.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept.Logs = e.look()
	return func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.kept.Clean = true
		return e.writeAll()
	}
}
