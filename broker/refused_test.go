package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"tipoff/topics"
)

// TestProcessor_HoldsAPartitionThatNeedsAPerson: a table value of a newer version is
// not misread; its partition waits and is named, and the others go on.
func TestProcessor_HoldsAPartitionThatNeedsAPerson(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	var log lockedBuffer
	c.log = slog.New(slog.NewTextHandler(&log, nil))
	pub := publisher(t, c, 5*time.Second)
	newer := records(1)[0]
	newer.Topic, newer.Value = topics.TableBettors, []byte("9 of the future")
	if err := pub.Publish(t.Context(), append(records(20), newer)); err != nil {
		t.Fatal(err)
	}
	p := c.NewProcessor(counting(), c.NewOwner(TableValues{
		Epoch: func([]byte) uint64 { return 0 },
		Check: func(value []byte) error {
			if value[0] == '9' {
				return errors.New("not a value of a known version")
			}
			return nil
		},
	}, func(string) {}))
	var seen following
	view := c.NewView(topics.TableBettors, TableValues{}, seen.apply)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	running.Go(func() { _ = p.Run(ctx) })
	running.Go(func() { _ = view.Run(ctx) })
	held := func(i int) int32 { // the partition of a user
		hash := topics.NewKeyHash()
		_, _ = fmt.Fprintf(hash, "default/u%d", i)
		return int32(hash.Sum32() % uint32(c.layout.Partitions))
	}
	for i := range 20 {
		if held(i) != held(0) {
			eventually(t, func() error { return seen.want(fmt.Sprintf("default/u%d", i), "1") })
		}
	}
	if why := p.owner.Refused(); len(why) != 1 || why[held(0)] == nil {
		t.Errorf("partitions %v are refused, want %d", why, held(0))
	}
	for _, part := range []string{"NEEDS A PERSON", fmt.Sprintf("partition %d of tipoff-bettors-table", held(0)), "offset 0", `"default/u0"`, "run the version of Tipoff that wrote it"} {
		if s := p.State(); s.Ready || !strings.Contains(s.Detail, part) {
			t.Errorf("%+v, want in it %q", s, part)
		}
	}
	if said := strings.Count(log.text(), "NEEDS A PERSON"); said != 1 || p.Restarts() != 0 {
		t.Errorf("the log says so %d times, with %d restarts", said, p.Restarts())
	}
	if err := seen.want("default/u0", "9 of the future"); err != nil {
		t.Errorf("written over: %v", err)
	}
	cancel()
	running.Wait()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
