package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// kfake compacts a log by deleting its files and writing others in their place, so that a
// process which is killed meanwhile, or a full disk, would take what was acknowledged.
// Hence the embedded broker compacts under links to the files of before, which a start
// after such an end puts back where a log was not written to its end again.

// kfake serves nobody while it compacts, for 0.4 s for every 100 MB that tables have grown
// by on cores that have nothing else to do, and posts wait for 4.5 s. So it compacts early
// and often while there is time for it, and where much comes in it waits, until the disk
// counts for more. What has grown too large for that is left for the next start.

// compactionRule is when a compaction pays; bytes are those of the tables' logs.
type compactionRule struct {
	look  time.Duration // how often is looked
	every time.Duration // how often records go that are past their retention
	least int64         // growth that pays, if it doubles the logs
	quiet int64         // growth from one look to the next while there is time for it
	long  int64         // growth that takes too long to be compacted while others wait
	most  int64         // growth that the disk is not to hold, whatever is going on
}

var usualCompaction = compactionRule{look: 2 * time.Second, every: time.Hour, least: 128 << 20, quiet: 8 << 20, long: 768 << 20, most: 2 << 30}

// due says whether to compact logs that have so many bytes, had that many at the look
// before, and were compacted to after.
func (r *compactionRule) due(bytes, before, after int64) bool {
	grown := bytes - after
	return grown >= r.most || grown >= max(r.least, after) && grown < r.long && bytes-before < r.quiet
}

// noCompaction keeps kfake from compacting on its own, in milliseconds: ten years.
const noCompaction = "315360000000"

type compaction struct {
	cluster *kfake.Cluster
	folder  string
	rule    compactionRule
	done    chan struct{}
	running sync.WaitGroup
}

// startCompaction compacts the broker's logs when it pays, until stop is called.
func startCompaction(cluster *kfake.Cluster, folder string, rule compactionRule) *compaction {
	c := &compaction{cluster: cluster, folder: folder, rule: rule, done: make(chan struct{})}
	c.running.Go(c.run)
	return c
}

func (c *compaction) run() {
	ticker := time.NewTicker(c.rule.look)
	defer ticker.Stop()
	after := c.bytes()
	for before, last := after, time.Now(); ; {
		select {
		case <-ticker.C:
		case <-c.done:
			return
		}
		bytes := c.bytes()
		if c.rule.due(bytes, before, after) {
			_ = c.compact() // without room for the links it waits for the next time
			bytes = c.bytes()
			after = bytes
		}
		if before = bytes; time.Since(last) >= c.rule.every {
			c.cluster.ApplyRetention()
			last = time.Now()
		}
	}
}

// bytes are those of the tables' logs. A file that goes meanwhile has none.
func (c *compaction) bytes() (bytes int64) {
	_ = eachFile(logsOf(c.folder), func(log, file string) error {
		if info, err := os.Stat(filepath.Join(logsOf(c.folder), log, file)); err == nil && isTable(topicOf(log)) {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}

func (c *compaction) stop() {
	close(c.done)
	c.running.Wait()
}

func (c *compaction) compact() error {
	if err := linkLogs(c.folder); err != nil {
		return err
	}
	c.cluster.Compact()
	return unlinkLogs(c.folder)
}

// logsOf is the folder of the logs, one of its own for each partition.
func logsOf(folder string) string { return filepath.Join(folder, "log", "partitions") }

// linksOf is the folder of the links to their files.
func linksOf(folder string) string { return filepath.Join(folder, "before-compaction") }

// linksMarker is a file beside the links that is there once all of them are.
const linksMarker = "whole"

// linkLogs makes links to all files of logs.
func linkLogs(folder string) error {
	links := linksOf(folder)
	if err := os.RemoveAll(links); err != nil {
		return err
	}
	err := eachFile(logsOf(folder), func(log, file string) error {
		to := filepath.Join(links, log)
		if err := os.MkdirAll(to, 0o700); err != nil {
			return err
		}
		return os.Link(filepath.Join(logsOf(folder), log, file), filepath.Join(to, file))
	})
	if err != nil {
		return errors.Join(fmt.Errorf("link the broker's log: %w", err), os.RemoveAll(links))
	}
	return replaceFile(filepath.Join(links, linksMarker), nil, true)
}

// unlinkLogs removes the links, the marker first.
func unlinkLogs(folder string) error {
	if err := os.Remove(filepath.Join(linksOf(folder), linksMarker)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(linksOf(folder))
}

// restoreLogs puts back the logs whose compaction was not finished: the last batch of
// each is never compacted and is written last, so a log that was finished ends where it
// did, or later.
func restoreLogs(folder string) error {
	links := linksOf(folder)
	if _, err := os.Stat(filepath.Join(links, linksMarker)); errors.Is(err, fs.ErrNotExist) {
		return unlinkLogs(folder)
	}
	logs, err := os.ReadDir(links)
	if err != nil {
		return err
	}
	for _, log := range logs {
		if !log.IsDir() {
			continue
		}
		before, is := filepath.Join(links, log.Name()), filepath.Join(logsOf(folder), log.Name())
		ended, err := endOfLog(before)
		if err != nil {
			return err
		}
		ends, err := endOfLog(is)
		if err == nil && ends < ended {
			err = putBack(before, is)
		}
		if err != nil {
			return fmt.Errorf("put back the broker's log of before its compaction: %w", err)
		}
	}
	return unlinkLogs(folder)
}

// putBack replaces the files of a log with those that the links lead to.
func putBack(links, log string) error {
	files, err := logFiles(log)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := errors.Join(os.Remove(file), os.RemoveAll(indexOf(file))); err != nil {
			return err
		}
	}
	linked, err := os.ReadDir(links)
	if err := errors.Join(err, os.MkdirAll(log, 0o700)); err != nil {
		return err
	}
	for _, file := range linked {
		to := filepath.Join(log, file.Name())
		if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Link(filepath.Join(links, file.Name()), to); err != nil {
			return err
		}
	}
	return syncFolder(log)
}

// endOfLog is behind the last whole batch of a log.
func endOfLog(log string) (int64, error) {
	files, err := logFiles(log)
	if err != nil {
		return 0, err
	}
	walk := batchWalk{highest: math.MaxInt32, before: math.MaxInt64}
	for _, file := range files {
		whole, size, err := walk.open(file)
		if err != nil || whole < size {
			return walk.next, err
		}
	}
	return walk.next, nil
}

// eachFile visits the files of the folders in a folder.
func eachFile(folder string, visit func(log, file string) error) error {
	logs, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) { // before the first topic
		return nil
	}
	for _, log := range logs {
		files, listed := os.ReadDir(filepath.Join(folder, log.Name()))
		err = errors.Join(err, listed)
		for _, file := range files {
			if err == nil && file.Type().IsRegular() {
				err = visit(log.Name(), file.Name())
			}
		}
	}
	return err
}
