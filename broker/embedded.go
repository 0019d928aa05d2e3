package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Embedded is a broker inside this process that speaks Kafka's protocol and keeps
// its log in a folder: for a laptop, a demo, tests and one small node. What it has
// acknowledged survives the death of the process; the death of the machine only where
// it syncs, as else the page cache holds the newest of it.
type Embedded struct {
	cluster    *kfake.Cluster
	ends       *ends
	compaction *compaction
	lock       *flock.Flock
	secret     string // that clients must know
	address    string // file that tells other processes where we listen
	close      func() error
}

// How long a start waits for the folder of the broker, which [FindEmbedded] and a process
// that is ending hold for a moment.
const (
	lockPatience = 2 * time.Second
	lockEvery    = 20 * time.Millisecond
)

// take locks the folder.
func (e *Embedded) take(ctx context.Context, folder string) error {
	patience, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	_, err := e.lock.TryLockContext(patience, lockEvery)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("lock the broker's folder %s: %w", folder, ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		where, _ := os.ReadFile(e.address)
		return fmt.Errorf("the broker's folder %s belongs to a Tipoff that is running (its broker listens on %s): stop it, or set TIPOFF_DATA to another folder",
			folder, where)
	case err != nil:
		return fmt.Errorf("lock the broker's folder %s: %w", folder, err)
	}
	return nil
}

// OpenEmbedded starts the broker on a loopback port with the log in folder. One
// process at a time may have the folder. With synced each record is on the disk before it
// is acknowledged. The logs of tables, whose values it is told of, are compacted first
// where they have grown; without [TableValues.Epoch] they are not.
func OpenEmbedded(ctx context.Context, folder string, synced bool, values TableValues) (*Embedded, error) {
	if err := makePrivate(folder); err != nil {
		return nil, err
	}
	e := &Embedded{lock: flock.New(filepath.Join(folder, "lock")), address: filepath.Join(folder, "address")}
	if err := e.take(ctx, folder); err != nil {
		return nil, errors.Join(err, e.lock.Close())
	}
	before, err := prepareLogs(folder, values)
	if err != nil {
		return nil, errors.Join(err, e.lock.Unlock())
	}
	if e.secret, err = makeSecret(folder); err != nil {
		return nil, errors.Join(err, e.lock.Unlock())
	}
	options := append(guarded(e.secret), kfake.NumBrokers(1), kfake.DataDir(filepath.Join(folder, "log")),
		kfake.BrokerConfigs(map[string]string{
			"log.cleaner.backoff.ms": noCompaction,
			"log.retention.ms":       "-1", // facts have their own, and kfake would take it for compacted topics' too
		}))
	if synced {
		options = append(options, kfake.SyncWrites())
	}
	e.cluster, err = kfake.NewCluster(options...)
	if err != nil {
		return nil, errors.Join(damaged(folder, err), e.lock.Unlock())
	}
	e.close = sync.OnceValue(e.end)
	if e.ends, err = openEnds(e.cluster, folder, before); err != nil {
		e.cluster.Close()
		return nil, errors.Join(err, e.lock.Unlock())
	}
	e.compaction = startCompaction(e.cluster, folder, usualCompaction)
	if err := writePrivate(e.address, strings.Join(e.Brokers(), ",")); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// prepareLogs makes the logs ones that the broker can open, and returns where they ended.
func prepareLogs(folder string, values TableValues) (before kept, err error) {
	if before, err = readEnds(folder); err != nil {
		return before, err
	}
	if err := finishShrinking(folder); err != nil {
		return before, err
	}
	if err := restoreLogs(folder); err != nil {
		return before, err
	}
	if err := mendLogs(folder, before.highest()); err != nil {
		return before, err
	}
	_ = shrinkLogs(folder, values) // without room for it, say, the logs serve as they are
	return before, finishShrinking(folder)
}

// damaged says what to do about a log that cannot be opened.
func damaged(folder string, err error) error {
	return fmt.Errorf("open the broker's log in %s: %w; if a file there is damaged, put a copy of the whole folder in its place, "+
		"or move it away and run `tipoff rebuild`, which fills the tables from the database (docs/backup.md)", folder, err)
}

// FindEmbedded returns how to reach the broker whose log is in folder, if another
// process runs it.
func FindEmbedded(folder string) (config Config, running bool) {
	lock := flock.New(filepath.Join(folder, "lock"))
	if _, err := os.Stat(lock.Path()); err != nil {
		return Config{}, false
	}
	if free, err := lock.TryLock(); free || err != nil {
		_ = lock.Unlock()
		return Config{}, false
	}
	where, err := os.ReadFile(filepath.Join(folder, "address"))
	secret, unknown := os.ReadFile(filepath.Join(folder, "secret"))
	return embeddedConfig(strings.Split(string(where), ","), string(secret)), errors.Join(err, unknown) == nil && len(where) > 0
}

// InUse says whether a process has the folder, also one that starts or ends and cannot be
// reached.
func InUse(folder string) bool {
	lock := flock.New(filepath.Join(folder, "lock"))
	if _, err := os.Stat(lock.Path()); err != nil {
		return false
	}
	free, err := lock.TryRLock()
	_ = lock.Unlock()
	return err == nil && !free
}

// Brokers are the addresses to connect to.
func (e *Embedded) Brokers() []string { return e.cluster.ListenAddrs() }

// Losses are the ends of its logs that were found missing at a start, and that no
// rebuild has mended yet.
func (e *Embedded) Losses() []Loss { return e.ends.losses() }

// Mended forgets the losses, once a rebuild has brought back what could be.
func (e *Embedded) Mended() error { return e.ends.mended() }

// Close writes the log out and releases the folder, once.
func (e *Embedded) Close() error { return e.close() }

func (e *Embedded) end() error {
	_ = os.Remove(e.address)
	e.compaction.stop()
	last := e.ends.stop()
	e.cluster.Close()
	return errors.Join(last(), e.lock.Unlock())
}
