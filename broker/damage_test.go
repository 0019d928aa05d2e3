package broker

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"tipoff"
	"tipoff/topics"
)

// openEmbedded opens a broker whose folder is synced, and connects to it.
func openEmbedded(t *testing.T, folder string) (*Embedded, *Cluster) {
	t.Helper()
	e, err := OpenEmbedded(t.Context(), folder, true, TableValues{})
	if err != nil {
		t.Fatal(err)
	}
	return e, connect(t, e.Config())
}

// logOfUsers is the folder of one partition's log.
func logOfUsers(folder string) string { return filepath.Join(logsOf(folder), topics.Users+"-1") }

// TestEmbedded_NamesWhatItsRecoveryCutOff: bytes are gone or damaged, and a start says
// of which log how many records that took.
func TestEmbedded_NamesWhatItsRecoveryCutOff(t *testing.T) {
	t.Parallel()
	batch := func(log []byte, n int) []byte { // all are of one length
		length := len(log) / 10
		return log[n*length : (n+1)*length]
	}
	for name, damage := range map[string]func(log []byte) []byte{
		"CutOff": func(log []byte) []byte { return log[:len(log)/2] },
		"Damaged": func(log []byte) []byte {
			for i := range 8 {
				log[len(log)/2+i] ^= 0xff
			}
			return log
		},
		// Which no checksum covers:
		"AnOffset":  func(log []byte) []byte { batch(log, 6)[3] ^= 1; return log },
		"TheLast":   func(log []byte) []byte { batch(log, 8)[7] ^= 4; return log },
		"AnEpoch":   func(log []byte) []byte { batch(log, 6)[batchEpoch+1] ^= 8; return log },
		"LessEpoch": func(log []byte) []byte { batch(log, 6)[batchEpoch] ^= 0x80; return log },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "a[b")
			open := func() (*Embedded, *Cluster) { return openEmbedded(t, folder) }
			e, c := open()
			p := publisher(t, c, 5*time.Second)
			for range 10 { // one at a time: two of one post may become two batches
				publishTo(t, topics.Users, p, 1, 1)
			}
			readEpochs(t, c)
			last := c.Reader("g").Sequence(topics.Users, 1, 9)
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			damageLog(t, logOfUsers(folder), damage)
			for range 2 { // also at a start after that
				e, c = open()
				ends, err := c.Ends(t.Context(), topics.Users)
				want := []Loss{{topics.Users, 1, ends[1], 10}}
				if err != nil || ends[1] == 10 || !slices.Equal(c.Losses(), want) {
					t.Errorf("losses %v, want %v: %v", c.Losses(), want, err)
				}
				readEpochs(t, c)
				if next := c.Reader("g").Sequence(topics.Users, 1, ends[1]); next <= last {
					t.Errorf("what comes is at %d, not after %d", next, last)
				}
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
			}
			e, _ = open()
			if err := errors.Join(e.Mended(), e.Close()); err != nil {
				t.Fatal(err)
			}
			e, _ = open()
			defer e.Close()
			if l := e.Losses(); len(l) != 0 {
				t.Errorf("after a rebuild %v", l)
			}
		})
	}
}

func damageLog(t *testing.T, folder string, damage func([]byte) []byte) {
	t.Helper()
	files, err := logFiles(folder)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	log, err := os.ReadFile(files[0])
	if err == nil {
		err = os.WriteFile(files[0], damage(log), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// openLog opens a broker whose logs begin another file after each batch of users.
func openLog(t *testing.T, folder string) (*Embedded, *Cluster) {
	t.Helper()
	e, c := openEmbedded(t, folder)
	small := "1"
	set := map[string]sarama.IncrementalAlterConfigsEntry{"segment.bytes": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &small}}
	if err := c.admin.IncrementalAlterConfig(sarama.TopicResource, topics.Users, set, false); err != nil {
		t.Fatal(err)
	}
	return e, c
}

// TestEmbedded_CutsALogOffInAnEarlierFile: what the later ones hold is set aside with it,
// as nothing could be read past the gap, and it is named.
func TestEmbedded_CutsALogOffInAnEarlierFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var aside int
	for round := range 2 {
		e, c := openLog(t, folder)
		ends, err := c.Ends(t.Context(), topics.Users)
		if err != nil {
			t.Fatal(err)
		}
		p := publisher(t, c, 5*time.Second)
		for range 10 {
			publishTo(t, topics.Users, p, 1, 2)
		}
		if err := errors.Join(e.Mended(), e.Close()); err != nil {
			t.Fatal(err)
		}
		files, err := logFiles(logOfUsers(folder))
		if err != nil || len(files) < 10 {
			t.Fatalf("the log is in %d files: %v", len(files), err)
		}
		damaged := len(files) - 6
		text, err := os.ReadFile(files[damaged])
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)-1] ^= 1
		if err := os.WriteFile(files[damaged], text, 0o600); err != nil {
			t.Fatal(err)
		}
		e, c = openLog(t, folder)
		want := []Loss{{topics.Users, 1, firstOffset(files[damaged]), ends[1] + 20}}
		if !slices.Equal(c.Losses(), want) {
			t.Errorf("round %d: losses %v, want %v", round, c.Losses(), want)
		}
		if err := errors.Join(e.Mended(), e.Close()); err != nil {
			t.Fatal(err)
		}
		aside += 6
		if kept, err := filepath.Glob(filepath.Join(logOfUsers(folder), "*.damaged")); err != nil || len(kept) != aside {
			t.Errorf("round %d: %d files are kept beside, want %d: %v", round, len(kept), aside, err)
		}
	}
}

// TestEmbedded_KnowsEpochsWithoutTheirIndex: a power cut takes what was written last of
// each file, and the index is one of its own.
func TestEmbedded_KnowsEpochsWithoutTheirIndex(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(index []byte) []byte{
		"Gone":    func([]byte) []byte { return nil },
		"Shorter": func(index []byte) []byte { return index[:len(index)-indexEntry-1] },
		"Zeroed": func(index []byte) []byte {
			clear(index[indexEntry:])
			return index
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			e, c := openEmbedded(t, folder)
			p := publisher(t, c, 5*time.Second)
			for epoch := range int32(3) {
				publishTo(t, topics.Users, p, 1, 2)
				if err := e.Outdate(10*epoch, nil); err != nil {
					t.Fatal(err)
				}
			}
			epochs := func(c *Cluster) (all []int32) {
				readEpochs(t, c)
				for offset := range int64(6) {
					all = append(all, tipoff.SequenceEpoch(c.Reader("g").Sequence(topics.Users, 1, offset)))
				}
				return all
			}
			want := epochs(c)
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(logOfUsers(folder), "*.idx"))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			index, err := os.ReadFile(files[0])
			if err == nil {
				err = os.WriteFile(files[0], damage(index), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			e, c = openEmbedded(t, folder)
			defer e.Close()
			if got := epochs(c); !slices.Equal(got, want) || got[0] == got[5] {
				t.Errorf("epochs %v, were %v", got, want)
			}
		})
	}
}

// TestEmbedded_KeepsItsEpochWithoutTheCount, which a power cut may empty.
func TestEmbedded_KeepsItsEpochWithoutTheCount(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	lost := []Loss{{topics.Users, 0, 3, 5}}
	for start, want := range []int32{0, 42, 43} {
		e, _ := openEmbedded(t, folder)
		if got := e.cluster.PartitionInfo(topics.Users, 1).Epoch; got != want && start > 0 {
			t.Errorf("start %d: the epoch is %d, want %d", start, got, want)
		}
		if start == 0 {
			if err := e.Outdate(40, lost); err != nil {
				t.Fatal(err)
			}
		} else if !slices.Equal(e.Losses(), lost) {
			t.Errorf("start %d: losses %v, want %v", start, e.Losses(), lost)
		}
		if err := errors.Join(e.Close(), os.Truncate(filepath.Join(folder, "ends.json"), 0)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEmbedded_OutdatesTopicsOfItsFirstLife, whose logs have no files yet.
func TestEmbedded_OutdatesTopicsOfItsFirstLife(t *testing.T) {
	t.Parallel()
	e, err := OpenEmbedded(t.Context(), t.TempDir(), false, TableValues{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	connect(t, e.Config())
	if err := e.Outdate(40, nil); err != nil {
		t.Fatal(err)
	}
	if got := e.cluster.PartitionInfo(topics.Users, 1).Epoch; got != 41 {
		t.Errorf("the epoch is %d", got)
	}
}
