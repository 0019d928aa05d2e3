package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/IBM/sarama"
)

// cut is a log that has lost its end on all brokers at once, as after a power cut: all
// of them are killed, bytes are cut off their files, and they are started again. The
// system was quiet, so all that is lost stands in the tables and in the database, and
// stays there; it remains on the harness's tape, before what comes then.
type cut struct {
	topic     string
	partition int32
	from, to  int64 // offsets of the lost records
}

func (c *cut) said() []string {
	if c == nil {
		return nil
	}
	return []string{fmt.Sprintf("log cut: %s/%d loses %d records from offset %d", c.topic, c.partition, c.to-c.from, c.from)}
}

// oneInCuts is in how many rounds one log is cut.
const oneInCuts = 6

// cutSomeLog cuts a log of facts, in some rounds; nil: in this one it did not.
func (h *harness) cutSomeLog(ctx context.Context, round int) (*cut, error) {
	r := newRandom(h.Seed, 99_000+uint64(round))
	if round == h.First || r.IntN(oneInCuts) > 0 {
		return nil, nil
	}
	client, err := h.client()
	if err != nil {
		return nil, err
	}
	tapes := []*tape{&h.users, &h.events, &h.coupons}
	for _, t := range tapes {
		if _, err := t.read(client); err != nil {
			return nil, errors.Join(err, client.Close())
		}
	}
	if err := client.Close(); err != nil {
		return nil, err
	}
	t, p := tapes[r.IntN(len(tapes))], int32(r.IntN(partitions))
	h.marks.begin("log cut: "+t.topic, true)
	for _, b := range h.brokers {
		b.kill()
	}
	from, err := h.cutLogs(t.topic, p, 1+r.IntN(40))
	if err != nil {
		return nil, err
	}
	for _, b := range h.brokers {
		if err := b.run(); err != nil {
			return nil, err
		}
	}
	c := &cut{t.topic, p, from, t.next[p]}
	t.next[p] = from
	h.marks.begin("log cut: "+t.topic, false)
	within, cancel := context.WithTimeout(ctx, recoverWithin)
	defer cancel()
	return c, eventually(within, "brokers after a cut", func() error {
		client, err := h.client()
		if err != nil {
			return err
		}
		defer client.Close()
		end, err := client.GetOffset(c.topic, c.partition, sarama.OffsetNewest)
		if err == nil && end != from {
			err = fmt.Errorf("%s/%d ends at %d, not at %d", c.topic, c.partition, end, from)
		}
		return err
	})
}

// cutLogs cuts the last batches off a partition's file on every broker, and returns the
// offset at which the log ends then.
func (h *harness) cutLogs(topic string, partition int32, batches int) (from int64, err error) {
	for b := range brokers {
		files, err := filepath.Glob(filepath.Join(h.Folder, fmt.Sprintf("broker-%d", b+1), "log", fmt.Sprintf("%s-%d", topic, partition), "*.log"))
		if err != nil || len(files) == 0 {
			return 0, fmt.Errorf("broker %d has no log of %s/%d: %w", b+1, topic, partition, err)
		}
		last := slices.Max(files)
		log, err := os.ReadFile(last)
		if err != nil {
			return 0, err
		}
		at, offset, err := lastBatches(log, batches)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", last, err)
		}
		if b > 0 && offset != from {
			return 0, fmt.Errorf("%s/%d: the replicas differ: %d on one, %d on another", topic, partition, from, offset)
		}
		if from = offset; os.Truncate(last, at) != nil {
			return 0, fmt.Errorf("cannot truncate %s", last)
		}
	}
	return from, nil
}

// lastBatches is where the last n batches of a log begin, and at which offset.
func lastBatches(log []byte, n int) (at, offset int64, err error) {
	const lengthAt, head = 8, 12
	var begins []int64
	for at := 0; at+head <= len(log); {
		length := head + int(binary.BigEndian.Uint32(log[at+lengthAt:]))
		if length == head {
			break // preallocated
		}
		begins = append(begins, int64(at))
		at += length
	}
	if len(begins) < 2 {
		return 0, 0, errors.New("has too few batches to cut some off")
	}
	at = begins[max(1, len(begins)-n)]
	return at, int64(binary.BigEndian.Uint64(log[at:])), nil
}

// named wants that some process has said what the log lost.
func (h *harness) named(c *cut) error {
	if c == nil {
		return nil
	}
	for _, p := range h.processes {
		log, err := os.ReadFile(filepath.Join(h.Folder, p.name+".log"))
		if err != nil {
			continue // one that has not been started yet
		}
		for line := range bytes.Lines(log) {
			if all(string(line), "A LOG HAS LOST ITS END", fmt.Sprintf("log=%s/%d ", c.topic, c.partition), fmt.Sprintf("from_offset=%d ", c.from), fmt.Sprintf("records=%d", c.to-c.from)) {
				return nil
			}
		}
	}
	h.wrong("nobody has said that %s/%d lost %d records from offset %d", c.topic, c.partition, c.to-c.from, c.from)
	return nil
}

func all(s string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(s, part) })
}
