package broker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"tipoff/topics"
)

// keysOf are n keys whose records lie on one partition.
func keysOf(partition uint32, n int) (keys []string) {
	for i := 0; len(keys) < n; i++ {
		hash := topics.NewKeyHash()
		_, _ = fmt.Fprintf(hash, "default/k%d", i)
		if hash.Sum32()%uint32(layout.Partitions) == partition {
			keys = append(keys, fmt.Sprint("default/k", i))
		}
	}
	return keys
}

// tableLog is the folder of the log that the tests below fill.
func tableLog(folder string) string { return filepath.Join(logsOf(folder), topics.TableBettors+"-1") }

// fillTable appends values of a few keys to a table's log, of several epochs, in any
// order, and deletions, and returns when each value was received.
func fillTable(t *testing.T, c *Cluster, random *rand.Rand, records int) map[string]time.Time {
	t.Helper()
	p, keys, received := publisher(t, c, 10*time.Second), keysOf(1, 5), map[string]time.Time{}
	for left := records; left > 0; {
		var list []topics.Record
		for range min(left, 1+random.IntN(20)) {
			value := make([]byte, 8<<10)
			for i := range value {
				value[i] = byte(random.Uint32())
			}
			value[0] = byte(random.IntN(5))
			if random.IntN(20) == 0 {
				value = nil
			}
			r := topics.Record{Topic: topics.TableBettors, Key: keys[random.IntN(len(keys))], Value: value, Received: time.UnixMilli(random.Int64N(1e12))}
			received[string(value)] = r.Received
			list = append(list, r)
		}
		if err := p.Publish(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		left -= len(list)
	}
	return received
}

// readTable returns what a reader makes of a table, and the records that it has read.
func readTable(t *testing.T, c *Cluster) (*reader, []Stored) {
	t.Helper()
	r, all := newReader(), []Stored{}
	err := c.Read(t.Context(), topics.TableBettors, func(s Stored) error {
		r.apply(s.Key, s.Value, time.Time{})
		s.Value = slices.Clone(s.Value)
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, all
}

// TestShrink_ReadersMakeTheSameOfTheLog: of one that was compacted at a start, after a
// clean end and after a kill, under one epoch and several.
func TestShrink_ReadersMakeTheSameOfTheLog(t *testing.T) {
	t.Parallel()
	folder, random := t.TempDir(), rand.New(rand.NewPCG(3, 4))
	for start, records := range []int{300, 300, 3, 0, 200} {
		e, c := openEmbedded(t, folder)
		fillTable(t, c, random, records)
		want, all := readTable(t, c)
		ends, err := c.Ends(t.Context(), topics.TableBettors)
		if err := errors.Join(err, e.Close()); err != nil {
			t.Fatal(err)
		}
		if start == 1 { // as after a kill
			if err := os.Remove(filepath.Join(folder, countFile)); err != nil {
				t.Fatal(err)
			}
		}
		if e, err = OpenEmbedded(t.Context(), folder, false, byteValues); err != nil {
			t.Fatal(err)
		}
		c = connect(t, e.Config())
		got, left := readTable(t, c)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("start %d: readers make another thing of the log", start)
		}
		if now, err := c.Ends(t.Context(), topics.TableBettors); err != nil || !reflect.DeepEqual(now, ends) || len(e.Losses()) != 0 {
			t.Errorf("start %d: the log ends at %v, ended at %v; losses %v: %v", start, now, ends, e.Losses(), err)
		}
		if records >= 200 && len(left) > len(all)*2/3 {
			t.Errorf("start %d: %d of %d records are left", start, len(left), len(all))
		}
		wantPlaces(t, all, left)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// wantPlaces checks that what is left is as it was: its place, times and all.
func wantPlaces(t *testing.T, all, left []Stored) {
	t.Helper()
	was := map[int64]Stored{}
	for _, s := range all {
		was[s.Offset] = s
	}
	for _, s := range left {
		if !reflect.DeepEqual(s, was[s.Offset]) {
			t.Errorf("the record at offset %d is another one: %q of %s, was %q of %s", s.Offset, s.Key, s.Appended, was[s.Offset].Key, was[s.Offset].Appended)
		}
	}
}

// TestShrink_KeepsWhatIsSaidOfAValue: a record's headers come with it.
func TestShrink_KeepsWhatIsSaidOfAValue(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	e, c := openEmbedded(t, folder)
	received := fillTable(t, c, rand.New(rand.NewPCG(5, 6)), 300)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, err := OpenEmbedded(t.Context(), folder, false, byteValues)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c = connect(t, e.Config())
	var mu sync.Mutex
	handed := 0
	v := c.NewView(topics.TableBettors, TableValues{}, func(u Update) {
		mu.Lock()
		defer mu.Unlock()
		handed++
		if want := received[string(u.Value)]; u.Value != nil && !want.Equal(u.Received) {
			t.Errorf("a value of %s was received at %s, not at %s", u.Key, want, u.Received)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = v.Run(ctx) })
	defer running.Wait()
	defer cancel()
	if err := v.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if handed == 0 || handed > 150 {
		t.Errorf("%d of 300 values are left", handed)
	}
}

// TestShrink_AnEndMeanwhileLosesNothing: the log was moved away, or half of another one
// was written.
func TestShrink_AnEndMeanwhileLosesNothing(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(log, other string) error{
		"MovedAway": func(log, other string) error {
			return errors.Join(os.MkdirAll(other, 0o700), os.Rename(log, other+replaced))
		},
		"Replaced": func(log, other string) error {
			return errors.Join(os.MkdirAll(filepath.Dir(other), 0o700), os.CopyFS(other+replaced, os.DirFS(log)))
		},
		"Writing": func(_, other string) error {
			return errors.Join(os.MkdirAll(other, 0o700), os.WriteFile(filepath.Join(other, "0.dat"), []byte("half"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			e, c := openEmbedded(t, folder)
			fillTable(t, c, rand.New(rand.NewPCG(7, 8)), 20) // too few to be compacted
			_, want := readTable(t, c)
			if err := errors.Join(e.Close(), end(tableLog(folder), filepath.Join(shrinkingOf(folder), filepath.Base(tableLog(folder))))); err != nil {
				t.Fatal(err)
			}
			e, err := OpenEmbedded(t.Context(), folder, false, byteValues)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if _, got := readTable(t, connect(t, e.Config())); !reflect.DeepEqual(got, want) || len(e.Losses()) != 0 {
				t.Errorf("the log has %d records, had %d; losses %v", len(got), len(want), e.Losses())
			}
			if _, err := os.Stat(shrinkingOf(folder)); err == nil {
				t.Error("what was being written is still there")
			}
		})
	}
}

// TestShrink_LeavesALogAloneThatHasNotGrown since it was compacted, and facts always.
func TestShrink_LeavesALogAloneThatHasNotGrown(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	e, c := openEmbedded(t, folder)
	fillTable(t, c, rand.New(rand.NewPCG(9, 10)), 300)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	var sizes []int64
	for range 3 {
		e, err := OpenEmbedded(t.Context(), folder, false, byteValues)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(folder, shrunkFile))
		files, listed := logFiles(tableLog(folder))
		size, measured := sizeOf(files)
		if err := errors.Join(err, listed, measured); err != nil || info.Size() == 0 {
			t.Fatal(err)
		}
		sizes = append(sizes, size)
	}
	if sizes[0] > 1<<20 || sizes[1] != sizes[0] || sizes[2] != sizes[0] {
		t.Errorf("the log has %v bytes after each start, want the same few", sizes)
	}
	if isTable(topicOf(topics.Users+"-1")) || isTable(topicOf(topics.Coupons+"-0")) || !isTable(topicOf(topics.TableSet{Number: 2}.TableFixtures()+"-13")) {
		t.Error("tables are not told from facts")
	}
}

// TestShrunkLog_ABatchSpansWhatItsDistancesHold: in an old log what is left may be far apart.
func TestShrunkLog_ABatchSpansWhatItsDistancesHold(t *testing.T) {
	l := new(shrunkLog)
	l.put(heldRecord[place]{key: "a", value: []byte("1"), about: place{offset: 7, epoch: 3}})
	if l.ends(&place{offset: 7 + math.MaxInt32, epoch: 3}) {
		t.Error("the batch ends before a distance that it can hold")
	}
	if !l.ends(&place{offset: 8 + math.MaxInt32, epoch: 3}) || !l.ends(&place{offset: 8, epoch: 4}) {
		t.Error("the batch goes on over a distance that it cannot hold, or into another epoch")
	}
}
