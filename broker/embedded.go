package broker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Embedded is a broker inside this process that speaks Kafka's protocol and keeps
// its log in a folder: for a laptop, a demo, tests and one small node. What it has
// acknowledged survives the death of the process; the death of the machine only where
// it syncs, as else the page cache holds the newest of it.
type Embedded struct {
	cluster *kfake.Cluster
	ends    *ends
	lock    *flock.Flock
	address string // file that tells other processes where we listen
}

// OpenEmbedded starts the broker on a loopback port with the log in folder. One
// process at a time may have the folder. With sync each record is on the disk before it
// is acknowledged.
func OpenEmbedded(folder string, sync bool) (*Embedded, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("create the broker's folder: %w", err)
	}
	e := &Embedded{lock: flock.New(filepath.Join(folder, "lock")), address: filepath.Join(folder, "address")}
	locked, err := e.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the broker's folder %s: %w", folder, err)
	}
	if !locked {
		where, _ := os.ReadFile(e.address)
		return nil, fmt.Errorf("the broker's folder %s belongs to a Tipoff that is running (its broker listens on %s): stop it, or set TIPOFF_DATA to another folder",
			folder, where)
	}
	if err := cutDamage(folder); err != nil {
		return nil, errors.Join(err, e.lock.Unlock())
	}
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.DataDir(filepath.Join(folder, "log"))}
	if sync {
		options = append(options, kfake.SyncWrites())
	}
	e.cluster, err = kfake.NewCluster(options...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the broker's log in %s: %w", folder, err), e.lock.Unlock())
	}
	if e.ends, err = openEnds(e.cluster, folder); err != nil {
		e.cluster.Close()
		return nil, errors.Join(err, e.lock.Unlock())
	}
	if err := os.WriteFile(e.address, []byte(strings.Join(e.Brokers(), ",")), 0o644); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// FindEmbedded returns where the broker listens whose log is in folder, if another
// process runs it.
func FindEmbedded(folder string) (brokers []string, running bool) {
	lock := flock.New(filepath.Join(folder, "lock"))
	if _, err := os.Stat(lock.Path()); err != nil {
		return nil, false
	}
	if free, err := lock.TryLock(); free || err != nil {
		_ = lock.Unlock()
		return nil, false
	}
	where, err := os.ReadFile(filepath.Join(folder, "address"))
	return strings.Split(string(where), ","), err == nil && len(where) > 0
}

// Brokers are the addresses to connect to.
func (e *Embedded) Brokers() []string { return e.cluster.ListenAddrs() }

// Losses are the ends of its logs that were found missing at a start, and that no
// rebuild has mended yet.
func (e *Embedded) Losses() []Loss { return e.ends.losses() }

// Mended forgets the losses, once a rebuild has brought back what could be.
func (e *Embedded) Mended() { e.ends.mended() }

// Close writes the log out and releases the folder.
func (e *Embedded) Close() error {
	_ = os.Remove(e.address)
	last := e.ends.stop()
	e.cluster.Close()
	return errors.Join(last(), e.lock.Unlock())
}
