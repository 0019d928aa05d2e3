package broker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
)

// The embedded broker listens on a port that every user of the machine reaches, past
// the key of the API. So it asks for a secret, which lies in its folder, and the folder
// is its owner's alone.

// embeddedUser is the one user of the embedded broker.
const embeddedUser = "tipoff"

// Config is how to reach the broker, and what it has lost.
func (e *Embedded) Config() Config {
	c := embeddedConfig(e.Brokers(), e.secret)
	c.Lost = e.Losses()
	return c
}

func embeddedConfig(brokers []string, secret string) Config {
	return Config{
		Brokers: brokers, SecurityProtocol: "SASL_PLAINTEXT", SASLMechanism: sarama.SASLTypeSCRAMSHA256, SASLUsername: embeddedUser, SASLPassword: secret,
	}
}

// guarded makes a broker ask for the secret. SCRAM does not tell it to whoever takes
// the port of a broker that has ended.
func guarded(secret string) []kfake.Opt {
	return []kfake.Opt{kfake.EnableSASL(), kfake.Superuser(sarama.SASLTypeSCRAMSHA256, embeddedUser, secret)}
}

// makePrivate creates the folder, and takes one that is there already away from all
// others than its owner, whatever the umask was.
func makePrivate(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("create the broker's folder: %w; set TIPOFF_DATA to a folder that this user may write to", err)
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		return fmt.Errorf("close the broker's folder to other users: %w; run Tipoff as the user whom the folder belongs to", err)
	}
	return nil
}

// makeSecret makes the secret of one life of the broker, in a folder that this process
// has locked. What kfake keeps of the users of the life before would come before it.
func makeSecret(folder string) (string, error) {
	if err := os.Remove(filepath.Join(folder, "log", "sasl.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("forget the broker's former secret: %w", err)
	}
	secret := rand.Text()
	if err := writePrivate(filepath.Join(folder, "secret"), secret); err != nil {
		return "", fmt.Errorf("write the broker's secret: %w", err)
	}
	return secret, nil
}

// writePrivate writes a file for its owner alone, in one step.
func writePrivate(path, text string) error { return replaceFile(path, []byte(text), false) }

// replaceFile is [writePrivate]; with sync the new file is on the disk afterwards.
func replaceFile(path string, text []byte, sync bool) error {
	folder := filepath.Dir(path)
	next, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = next.Write(text)
	if sync {
		err = errors.Join(err, next.Sync())
	}
	if err := errors.Join(err, next.Close()); err != nil {
		return errors.Join(err, os.Remove(next.Name()))
	}
	if err := os.Rename(next.Name(), path); err != nil || !sync {
		return err
	}
	return syncFolder(folder)
}

// syncFolder puts the names of a folder's files on the disk.
func syncFolder(folder string) error {
	in, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(in.Sync(), in.Close())
}

// Sarama is a fresh configuration of sarama's for another connection to the cluster:
// for tests and measurements that speak to it past this package.
func (c *Cluster) Sarama(clientID string) (*sarama.Config, error) { return c.config.sarama(clientID) }
