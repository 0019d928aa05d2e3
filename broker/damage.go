package broker

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// What the bytes of a batch of records begin with in a log, as Kafka stores it: the
// offset (8), the length of what follows (4), the leader epoch (4), the version (1), the
// checksum (4) of all after it: attributes (2), how many offsets it takes less one (4).
const (
	batchLength   = 8
	batchBody     = 12
	batchChecksum = 17
	batchSummed   = 21
	batchOffsets  = 23
	batchHead     = 27
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// cutDamage cuts off every log in the folder at its first batch whose bytes are damaged,
// as the broker would take the batch for whole, and no reader would get past it. What is
// cut off is kept beside, in a file whose name ends in .damaged.
func cutDamage(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "log", "partitions", "*", "*.dat"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := cutDamaged(file); err != nil {
			return fmt.Errorf("check the broker's log: %w", err)
		}
	}
	return nil
}

func cutDamaged(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	whole, err := wholeBatches(f, info.Size())
	if err != nil || whole == info.Size() {
		return err
	}
	rest, err := os.OpenFile(file+".damaged", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer rest.Close()
	if _, err := io.Copy(rest, io.NewSectionReader(f, whole, info.Size()-whole)); err != nil {
		return err
	}
	return f.Truncate(whole)
}

// wholeBatches is how many bytes of a log its undamaged batches take.
func wholeBatches(f io.ReaderAt, size int64) (at int64, err error) {
	batch, next := make([]byte, 0, 64<<10), int64(0)
	for at+batchHead <= size {
		batch = batch[:batchHead]
		if _, err := f.ReadAt(batch, at); err != nil {
			return 0, err
		}
		length := int64(binary.BigEndian.Uint32(batch[batchLength:])) + batchBody
		first := int64(binary.BigEndian.Uint64(batch))
		if length < batchHead || at+length > size || first < next {
			return at, nil
		}
		next = first + 1 + int64(binary.BigEndian.Uint32(batch[batchOffsets:]))
		if int64(cap(batch)) < length {
			batch = make([]byte, 0, 2*length)
		}
		batch = batch[:length]
		if _, err := f.ReadAt(batch, at); err != nil {
			return 0, err
		}
		if crc32.Checksum(batch[batchSummed:], castagnoli) != binary.BigEndian.Uint32(batch[batchChecksum:]) {
			return at, nil
		}
		at += length
	}
	return at, nil
}
