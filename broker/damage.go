package broker

import (
	"bufio"
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
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
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
// highest is the highest epoch that any batch can have.
func mendLogs(folder string, highest int32) error {
	logs, err := os.ReadDir(logsOf(folder))
	if errors.Is(err, fs.ErrNotExist) { // before the first topic
		return nil
	}
	if err == nil {
		err = eachLog(logs, func(log string) error { return mendLog(filepath.Join(logsOf(folder), log), highest) })
	}
	if err != nil {
		return fmt.Errorf("check the broker's log: %w", err)
	}
	return nil
}

// eachLog does something with each log, with as many at a time as there are cores.
func eachLog(logs []fs.DirEntry, do func(log string) error) error {
	names := make(chan string)
	errs := make([]error, runtime.GOMAXPROCS(0))
	var working sync.WaitGroup
	for i := range errs {
		working.Go(func() {
			for name := range names {
				errs[i] = errors.Join(errs[i], do(name))
			}
		})
	}
	for _, log := range logs {
		names <- log.Name()
	}
	close(names)
	working.Wait()
	return errors.Join(errs...)
}

// mendLog mends the files of one log.
func mendLog(log string, highest int32) error {
	files, err := logFiles(log)
	if err != nil {
		return err
	}
	walk := batchWalk{highest: highest}
	for i, file := range files {
		walk.index, walk.before = walk.index[:0], math.MaxInt64
		if i+1 < len(files) {
			walk.before = firstOffset(files[i+1])
		}
		whole, size, err := walk.open(file)
		if err != nil {
			return err
		}
		if whole < size {
			return errors.Join(cutOff(files[i:], whole), mendIndex(indexOf(file), walk.index[:walk.kept]))
		}
		if err := mendIndex(indexOf(file), walk.index); err != nil {
			return err
		}
	}
	return nil
}

// logFiles are the files of a log, oldest first.
func logFiles(log string) ([]string, error) {
	entries, err := os.ReadDir(log)
	var files []string
	for _, e := range entries {
		if firstOffset(e.Name()) >= 0 {
			files = append(files, filepath.Join(log, e.Name()))
		}
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(firstOffset(a), firstOffset(b)) })
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return files, err
}

const dataFile = ".dat"

// firstOffset is the offset that a file of a log is named by; -1: it is another file.
func firstOffset(file string) int64 {
	name, is := strings.CutSuffix(filepath.Base(file), dataFile)
	offset, err := strconv.ParseInt(name, 10, 64)
	if !is || err != nil || offset < 0 {
		return -1
	}
	return offset
}

// indexOf is the broker's index of a file of a log.
func indexOf(file string) string { return strings.TrimSuffix(file, dataFile) + ".idx" }

// cutOff cuts the first of the files off where it is whole, and takes the others away,
// newest first, so that an end meanwhile leaves the damage to be found again.
func cutOff(files []string, whole int64) error {
	for _, file := range slices.Backward(files[1:]) {
		beside, err := besideName(file)
		if err == nil {
			err = os.Rename(file, beside)
		}
		if err != nil {
			return err
		}
	}
	f, err := os.OpenFile(files[0], os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	beside, err := besideName(files[0])
	if err != nil {
		return err
	}
	rest, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(rest, io.NewSectionReader(f, whole, math.MaxInt64-whole))
	if err := errors.Join(err, rest.Sync(), rest.Close()); err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	if err := syncFolder(filepath.Dir(beside)); err != nil {
		return err
	}
	return errors.Join(f.Truncate(whole), f.Sync())
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

// batchWalk goes through the batches of one log. The checksum of a batch covers neither
// its offset nor its epoch, so these must follow from each other.
type batchWalk struct {
	next    int64 // the lowest offset of the next batch
	before  int64 // offsets of the file are below it
	epoch   int32 // of the last batch
	highest int32 // that a batch can have

	visit func(batch []byte) error // is shown each whole batch, for the time of the call; nil: nothing is

	batch []byte // a buffer
	index []byte // what the broker's index says of the batches seen
	kept  int    // bytes of it that are of the whole ones
}

// open returns how many bytes of a file its undamaged batches take, and how many it has.
func (w *batchWalk) open(file string) (whole, size int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	whole, err = w.file(bufio.NewReaderSize(f, readAtOnce), info.Size())
	return whole, info.Size(), err
}

// readAtOnce is how much of a file is read at once, in bytes.
const readAtOnce = 1 << 20

func (w *batchWalk) file(f io.Reader, size int64) (at int64, err error) {
	last, next := int64(0), w.next // the last batch, and where its offsets began
	for at+batchHead <= size {
		w.batch = slices.Grow(w.batch[:0], batchHead)[:batchHead]
		if _, err := io.ReadFull(f, w.batch); err != nil {
			return 0, err
		}
		length := int64(binary.BigEndian.Uint32(w.batch[batchLength:])) + batchBody
		first := int64(binary.BigEndian.Uint64(w.batch))
		epoch := int32(binary.BigEndian.Uint32(w.batch[batchEpoch:]))
		if length < batchHead || at+length > size || epoch < w.epoch || epoch > w.highest || first >= w.before {
			break
		}
		if first < w.next { // one of the two has a wrong offset
			at, w.next = last, next
			w.kept = max(0, len(w.index)-indexEntry)
			return at, nil
		}
		w.batch = slices.Grow(w.batch, int(length)-batchHead)[:length]
		if _, err := io.ReadFull(f, w.batch[batchHead:]); err != nil {
			return 0, err
		}
		if crc32.Checksum(w.batch[batchSummed:], castagnoli) != binary.BigEndian.Uint32(w.batch[batchChecksum:]) {
			break
		}
		if w.visit != nil {
			if err := w.visit(w.batch); err != nil {
				return 0, err
			}
		}
		last, next = at, w.next
		w.next, w.epoch = first+1+int64(binary.BigEndian.Uint32(w.batch[batchOffsets:])), epoch
		w.index = appendIndexEntry(w.index, uint32(epoch))
		at += length
	}
	w.kept = len(w.index)
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
