package broker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// place is what a compacted log keeps of a record beside its key and value.
type place struct {
	offset   int64
	appended int64 // Unix milliseconds
	epoch    int32 // of the leader that appended it
	headers  []byte
}

// shrunkLog is one log while it is compacted. Its last batch stays as it is, so that the
// log ends where it did.
type shrunkLog struct {
	kept    *newest[place]
	codec   kgo.Decompressor
	last    []byte // the last batch
	foreign bool   // it has batches that only Kafka's own compaction knows how to treat

	file, index *bufio.Writer
	size        int64
	batch       kmsg.RecordBatch // that is being filled
	records     []byte           // of it
}

// Attributes of a batch.
const (
	attributeCodec   = 0x07
	attributeAppend  = 0x08 // all its records have its last timestamp
	attributeForeign = 0x30 // a transaction's, or a control batch
)

var errBatch = errors.New("a batch of records whose checksum is right cannot be read")

// read takes the records of a batch in.
func (l *shrunkLog) read(raw []byte) error {
	var b kmsg.RecordBatch
	if err := b.ReadFrom(raw); err != nil {
		return errors.Join(errBatch, err)
	}
	l.last = append(l.last[:0], raw...)
	if b.Attributes&attributeForeign != 0 {
		l.foreign = true
		return nil
	}
	records, err := l.codec.Decompress(b.Records, kgo.CompressionCodecType(b.Attributes&attributeCodec))
	if err != nil {
		return errors.Join(errBatch, err)
	}
	for range b.NumRecords {
		length, n := binary.Varint(records)
		if n <= 0 || length < 1 || length > int64(len(records)-n) {
			return errBatch
		}
		if !l.readRecord(&b, records[n:n+int(length)]) {
			return errBatch
		}
		records = records[n+int(length):]
	}
	return nil
}

func (l *shrunkLog) readRecord(b *kmsg.RecordBatch, record []byte) bool {
	r := fields{rest: record[1:]} // behind its attributes, of which there are none
	after, delta := r.number(), r.number()
	key, value := r.bytes(), r.bytes()
	at := place{offset: b.FirstOffset + delta, appended: b.FirstTimestamp + after, epoch: b.PartitionLeaderEpoch, headers: slices.Clone(r.rest)}
	if b.Attributes&attributeAppend != 0 {
		at.appended = b.MaxTimestamp
	}
	if !r.failed {
		l.kept.add(string(key), value, at)
	}
	return !r.failed
}

// fields reads the fields of a record.
type fields struct {
	rest   []byte
	failed bool
}

func (f *fields) number() int64 {
	v, n := binary.Varint(f.rest)
	if n <= 0 {
		f.failed = true
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

// bytes returns nil for a field that is null.
func (f *fields) bytes() []byte {
	length := f.number()
	if length < 0 || f.failed {
		return nil
	}
	if length > int64(len(f.rest)) {
		f.failed = true
		return nil
	}
	field := f.rest[:length:length]
	f.rest = f.rest[length:]
	return field
}

// fullBatch is from how many bytes of records on a batch is written.
const fullBatch = 128 << 10

// write writes what is kept into a folder, and returns its size in bytes. It is on the
// disk then.
func (l *shrunkLog) write(folder string, now time.Time) (int64, error) {
	if len(l.last) == 0 {
		return 0, nil
	}
	end := int64(binary.BigEndian.Uint64(l.last)) // from there on the last batch has all
	first := end
	var kept []heldRecord[place]
	for _, r := range l.kept.records {
		old := now.Sub(time.UnixMilli(r.about.appended)) > tombstonesStay
		if !r.superseded && r.about.offset < end && (r.value != nil || !old) {
			kept = append(kept, r)
		}
	}
	if len(kept) > 0 {
		first = kept[0].about.offset
	}
	name := filepath.Join(folder, strconv.FormatInt(first, 10)+dataFile)
	err := writeSynced(name, func(file *bufio.Writer) error {
		return writeSynced(indexOf(name), func(index *bufio.Writer) error {
			l.file, l.index = file, index
			return l.writeRecords(kept)
		})
	})
	return l.size, err
}

// writeSynced writes a file that is on the disk then.
func writeSynced(name string, write func(*bufio.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, readAtOnce)
	err = write(w)
	return errors.Join(err, w.Flush(), f.Sync(), f.Close())
}

func (l *shrunkLog) writeRecords(kept []heldRecord[place]) error {
	compressor, err := kgo.DefaultCompressor(kgo.SnappyCompression())
	if err != nil {
		return err
	}
	for _, r := range kept {
		if len(l.records) > 0 && l.ends(&r.about) {
			if err := l.writeFilled(compressor); err != nil {
				return err
			}
		}
		l.put(r)
	}
	if len(l.records) > 0 {
		if err := l.writeFilled(compressor); err != nil {
			return err
		}
	}
	return l.writeBatch(l.last)
}

// ends says whether the batch that is being filled ends before a record.
func (l *shrunkLog) ends(at *place) bool {
	return len(l.records) >= fullBatch || at.epoch != l.batch.PartitionLeaderEpoch ||
		at.offset-l.batch.FirstOffset > math.MaxInt32 // an offset is written as its distance from the first
}

// put adds a record to the batch that is being filled.
func (l *shrunkLog) put(r heldRecord[place]) {
	at, b := r.about, &l.batch
	if len(l.records) == 0 {
		*b = kmsg.RecordBatch{
			FirstOffset: at.offset, PartitionLeaderEpoch: at.epoch, Magic: 2, FirstTimestamp: at.appended, MaxTimestamp: at.appended,
			ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, // the records are of several
		}
	}
	b.LastOffsetDelta, b.MaxTimestamp = int32(at.offset-b.FirstOffset), max(b.MaxTimestamp, at.appended)
	b.NumRecords++
	record := []byte{0} // its attributes
	record = binary.AppendVarint(record, at.appended-b.FirstTimestamp)
	record = binary.AppendVarint(record, at.offset-b.FirstOffset)
	record = append(binary.AppendVarint(record, int64(len(r.key))), r.key...)
	if r.value == nil {
		record = binary.AppendVarint(record, -1)
	} else {
		record = append(binary.AppendVarint(record, int64(len(r.value))), r.value...)
	}
	record = append(record, at.headers...)
	l.records = append(binary.AppendVarint(l.records, int64(len(record))), record...)
}

// writeFilled writes the batch that was filled, and begins another one.
func (l *shrunkLog) writeFilled(compressor kgo.Compressor) error {
	b := &l.batch
	var buffer bytes.Buffer
	packed, codec := compressor.Compress(&buffer, l.records)
	b.Records, b.Attributes = packed, int16(codec)
	b.Length = int32(batchHeadAll - batchBody + len(packed))
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[batchChecksum:], crc32.Checksum(raw[batchSummed:], castagnoli))
	l.records = l.records[:0]
	return l.writeBatch(raw)
}

// batchHeadAll is how many bytes of a batch are before its records.
const batchHeadAll = 61

func (l *shrunkLog) writeBatch(raw []byte) error {
	l.size += int64(len(raw))
	_, err := l.file.Write(raw)
	_, failed := l.index.Write(appendIndexEntry(nil, binary.BigEndian.Uint32(raw[batchEpoch:])))
	return errors.Join(err, failed)
}
