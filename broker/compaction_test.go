package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tipoff/topics"
)

// TestCompaction_AnEndMeanwhileLosesNothing: the files are deleted, and not all of them
// are written again.
func TestCompaction_AnEndMeanwhileLosesNothing(t *testing.T) {
	t.Parallel()
	for name, compact := range map[string]func(log string) error{
		"BeforeIt":       func(string) error { return nil },
		"DeletedAll":     os.RemoveAll,
		"DeletedTheFile": func(log string) error { return os.Remove(filepath.Join(log, "0.dat")) },
		"WroteSome":      func(log string) error { return writeAgain(log, 1) },
		"WroteAll":       func(log string) error { return writeAgain(log, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			e, c := openEmbedded(t, folder)
			p := publisher(t, c, 5*time.Second)
			for range 6 {
				publishTo(t, topics.Users, p, 1, 2)
			}
			ends, err := c.Ends(t.Context(), topics.Users)
			if err := errors.Join(err, e.Close(), linkLogs(folder), compact(logOfUsers(folder))); err != nil {
				t.Fatal(err)
			}
			e, c = openEmbedded(t, folder)
			defer e.Close()
			if now, err := c.Ends(t.Context(), topics.Users); err != nil || now[1] != ends[1] || len(e.Losses()) != 0 {
				t.Errorf("the log ends at %d, ended at %d; losses %v: %v", now[1], ends[1], e.Losses(), err)
			}
			if _, err := os.Stat(linksOf(folder)); err == nil {
				t.Error("the links are still there")
			}
		})
	}
}

// writeAgain writes a log's file as another one, with so many halves of it.
func writeAgain(log string, halves int) error {
	file := filepath.Join(log, "0.dat")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.Remove(file)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, text[:len(text)*halves/2], 0o600)
}

// TestCompaction_WhatCameAfterItStays, though it ended before the links were removed.
func TestCompaction_WhatCameAfterItStays(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for start, want := range []int64{0, 4, 8} {
		e, c := openEmbedded(t, folder)
		if ends, err := c.Ends(t.Context(), topics.Users); err != nil || ends[1] != want {
			t.Errorf("start %d: the log ends at %d, want %d: %v", start, ends[1], want, err)
		}
		p := publisher(t, c, 5*time.Second)
		publishTo(t, topics.Users, p, 1, 2)
		if err := linkLogs(folder); err != nil {
			t.Fatal(err)
		}
		e.cluster.Compact()
		publishTo(t, topics.Users, p, 1, 2)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCompaction_KeepsTheNewestOfEachKey, and what comes during it.
func TestCompaction_KeepsTheNewestOfEachKey(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	e, err := OpenEmbedded(t.Context(), folder, false, TableValues{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c := connect(t, e.Config())
	p := publisher(t, c, 5*time.Second)
	often := startCompaction(e.cluster, folder, compactionRule{look: time.Millisecond, every: time.Hour})
	last := map[string]string{}
	for i := range 300 {
		r := topics.Record{Topic: topics.TableBettors, Key: fmt.Sprint("default/k", i%7), Value: fmt.Append(nil, i), Received: time.Now()}
		if err := p.Publish(t.Context(), []topics.Record{r}); err != nil {
			t.Fatal(err)
		}
		last[r.Key] = string(r.Value)
	}
	often.stop()
	if err := e.compaction.compact(); err != nil {
		t.Fatal(err)
	}
	records := 0
	err = c.Read(t.Context(), topics.TableBettors, func(r Stored) error {
		records++
		if want := last[r.Key]; want == string(r.Value) {
			delete(last, r.Key)
		}
		return nil
	})
	if err != nil || len(last) != 0 || records > 2*7+2 {
		t.Errorf("%d records are left, and the newest of %v is not: %v", records, last, err)
	}
}

// TestCompaction_IsDueWhenItPays: while little is appended, unless it takes too long.
func TestCompaction_IsDueWhenItPays(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, c := range map[string]struct {
		bytes, before, after int64
		due                  bool
	}{
		"Nothing":    {0, 0, 0, false},
		"Little":     {120 * mib, 120 * mib, 0, false},
		"Enough":     {140 * mib, 135 * mib, 5 * mib, true},
		"NotDoubled": {290 * mib, 290 * mib, 150 * mib, false},
		"Doubled":    {310 * mib, 310 * mib, 150 * mib, true},
		"Busy":       {310 * mib, 290 * mib, 150 * mib, false},
		"TooLong":    {1000 * mib, 1000 * mib, 150 * mib, false},
		"TooMuch":    {2200 * mib, 2190 * mib, 150 * mib, true},
	} {
		if is := usualCompaction.due(c.bytes, c.before, c.after); is != c.due {
			t.Errorf("%s: it is due: %v", name, is)
		}
	}
}

// TestCompaction_KeepsALogSmall that grows, by itself.
func TestCompaction_KeepsALogSmall(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	e, c := openEmbedded(t, folder)
	defer e.Close()
	often := startCompaction(e.cluster, folder, compactionRule{look: time.Millisecond, every: time.Hour, least: 1 << 18, quiet: 1, long: 1 << 40, most: 1 << 40})
	defer often.stop()
	random := rand.New(rand.NewPCG(11, 12))
	fillTable(t, c, random, 300)
	eventually(t, func() error { // what came in while it was compacted goes when as much has come once more
		fillTable(t, c, random, 10)
		if bytes := often.bytes(); bytes > 1<<19 {
			return fmt.Errorf("the logs of tables hold %d bytes", bytes)
		}
		return nil
	})
}

// TestCompaction_KeepsTheNewestHoweverOld: time takes facts alone. (kfake would take what
// is older than a week from all topics.)
func TestCompaction_KeepsTheNewestHoweverOld(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	e, c := openEmbedded(t, folder)
	p := publisher(t, c, 5*time.Second)
	for range 3 {
		publishTo(t, topics.TableBettors, p, 1, 2)
		publishTo(t, topics.Coupons, p, 1, 2)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{topics.TableBettors, topics.Coupons} {
		damageLog(t, filepath.Join(logsOf(folder), topic+"-1"), func(log []byte) []byte { return aged(log, 1000*24*time.Hour) })
	}
	e, c = openEmbedded(t, folder)
	defer e.Close()
	if err := e.compaction.compact(); err != nil {
		t.Fatal(err)
	}
	e.cluster.ApplyRetention()
	table, err := c.Size(t.Context(), topics.TableBettors)
	facts, asked := c.Size(t.Context(), topics.Coupons)
	if err := errors.Join(err, asked); err != nil || table == 0 || facts != 0 {
		t.Errorf("%d values and %d facts are left, want the values alone: %v", table, facts, err)
	}
}

// aged is a log whose batches were appended that much earlier.
func aged(log []byte, by time.Duration) []byte {
	for at := 0; at < len(log); {
		batch := log[at : at+batchBody+int(binary.BigEndian.Uint32(log[at+batchLength:]))]
		for _, time := range []int{batchHead, batchHead + 8} { // of its first record, and the newest
			then := binary.BigEndian.Uint64(batch[time:]) - uint64(by.Milliseconds())
			binary.BigEndian.PutUint64(batch[time:], then)
		}
		binary.BigEndian.PutUint32(batch[batchChecksum:], crc32.Checksum(batch[batchSummed:], castagnoli))
		at += len(batch)
	}
	return log
}
