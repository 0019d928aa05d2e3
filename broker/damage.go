package broker

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// What the bytes of a batch of records begin with in a log, as Kafka stores it: the
// offset (8), the length of what follows (4), the leader epoch (4), the version (1), the
// checksum (4) of all after it: attributes (2), how many offsets it takes less one (4).
const (
	batchLength   = 8
	batchEpoch    = 12
	batchBody     = 12
	batchChecksum = 17
	batchSummed   = 21
	batchOffsets  = 23
	batchHead     = 27
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mendLogs makes every log in the folder one that the broker reads as it was written. It
// cuts a log off at its first batch whose bytes are damaged, as the broker would take the
// batch for whole, and no reader would get past it; what is cut off is kept beside, in
// files whose names end in .damaged. And it writes the index of each file of a log again
// that does not say the epochs of its batches, as the broker reads them from there alone.
func mendLogs(folder string) error {
	logs, err := filepath.Glob(filepath.Join(folder, "log", "partitions", "*"))
	if err != nil {
		return err
	}
	for _, log := range logs {
		if err := mendLog(log); err != nil {
			return fmt.Errorf("check the broker's log: %w", err)
		}
	}
	return nil
}

// mendLog mends the files of one log, oldest first.
func mendLog(log string) error {
	files, err := filepath.Glob(filepath.Join(log, "*.dat"))
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(firstOffset(a), firstOffset(b)) })
	walk, damaged := batchWalk{}, false
	for _, file := range files {
		if damaged {
			if err := setAside(file); err != nil {
				return err
			}
			continue
		}
		walk.index = walk.index[:0]
		if damaged, err = cutDamaged(file, &walk); err != nil {
			return err
		}
		if err := mendIndex(strings.TrimSuffix(file, ".dat")+".idx", walk.index); err != nil {
			return err
		}
	}
	return nil
}

// firstOffset is the offset that a file of a log is named by.
func firstOffset(file string) int64 {
	offset, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(file), ".dat"), 10, 64)
	if err != nil { // not a file of the broker's
		return math.MaxInt64
	}
	return offset
}

// cutDamaged cuts the file off where the walk finds damage.
func cutDamaged(file string, walk *batchWalk) (damaged bool, err error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	whole, err := walk.file(f, info.Size())
	if err != nil || whole == info.Size() {
		return false, err
	}
	beside, err := besideName(file)
	if err != nil {
		return false, err
	}
	rest, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false, err
	}
	_, err = io.Copy(rest, io.NewSectionReader(f, whole, info.Size()-whole))
	if err := errors.Join(err, rest.Sync(), rest.Close()); err != nil {
		return false, err
	}
	return true, f.Truncate(whole)
}

// setAside takes away a file of a log that was cut off before it.
func setAside(file string) error {
	beside, err := besideName(file)
	if err != nil {
		return err
	}
	return os.Rename(file, beside)
}

// besideName is a name, not taken yet, for what is cut off a file.
func besideName(file string) (string, error) {
	name := file + ".damaged"
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, nil
		} else if err != nil {
			return "", err
		}
		name = fmt.Sprintf("%s.%d.damaged", file, n)
	}
}

// batchWalk goes through the batches of one log.
type batchWalk struct {
	next  int64  // the lowest offset of the next batch
	batch []byte // a buffer
	index []byte // what the broker's index says of the batches seen
}

// file returns how many bytes of a file its undamaged batches take.
func (w *batchWalk) file(f io.ReaderAt, size int64) (at int64, err error) {
	for at+batchHead <= size {
		w.batch = slices.Grow(w.batch[:0], batchHead)[:batchHead]
		if _, err := f.ReadAt(w.batch, at); err != nil {
			return 0, err
		}
		length := int64(binary.BigEndian.Uint32(w.batch[batchLength:])) + batchBody
		first := int64(binary.BigEndian.Uint64(w.batch))
		if length < batchHead || at+length > size || first < w.next {
			return at, nil
		}
		w.batch = slices.Grow(w.batch[:0], int(length))[:length]
		if _, err := f.ReadAt(w.batch, at); err != nil {
			return 0, err
		}
		if crc32.Checksum(w.batch[batchSummed:], castagnoli) != binary.BigEndian.Uint32(w.batch[batchChecksum:]) {
			return at, nil
		}
		w.next = first + 1 + int64(binary.BigEndian.Uint32(w.batch[batchOffsets:]))
		w.index = appendIndexEntry(w.index, binary.BigEndian.Uint32(w.batch[batchEpoch:]))
		at += length
	}
	return at, nil
}

// indexEntry is the size of what kfake's index says of a batch: its version (1), the
// lowest byte of the checksum of what follows, the leader epoch (4), a time that it
// calculates again when it opens the log (8), whether the batch is of a transaction (1).
const (
	indexEntry   = 15
	indexEpoch   = 2
	indexVersion = 1
)

func appendIndexEntry(index []byte, epoch uint32) []byte {
	entry := [indexEntry]byte{indexVersion}
	binary.LittleEndian.PutUint32(entry[indexEpoch:], epoch)
	entry[1] = byte(crc32.Checksum(entry[indexEpoch:], castagnoli))
	return append(index, entry[:]...)
}

// mendIndex writes the index again where an entry is missing or damaged, or says another
// epoch than its batch.
func mendIndex(file string, want []byte) error {
	have, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(have) >= len(want) && sameEpochs(have, want) {
		return nil
	}
	return writePrivate(file, string(want))
}

func sameEpochs(have, want []byte) bool {
	for at := 0; at < len(want); at += indexEntry {
		entry := have[at : at+indexEntry]
		if byte(crc32.Checksum(entry[indexEpoch:], castagnoli)) != entry[1] ||
			!bytes.Equal(entry[indexEpoch:indexEpoch+4], want[at+indexEpoch:at+indexEpoch+4]) {
			return false
		}
	}
	return true
}
