package broker

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"

	"tipoff/topics"
)

func embedded(t *testing.T, folder string) *Embedded {
	t.Helper()
	e, err := OpenEmbedded(t.Context(), folder, false, TableValues{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// reached connects to a broker that is up: what it refuses would be tried for ever.
func reached(t *testing.T, config Config) *Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	c, err := Connect(ctx, config, layout, silent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestEmbedded_ServesNobodyWithoutItsSecret(t *testing.T) {
	e := embedded(t, t.TempDir())
	plain := sarama.NewConfig()
	plain.Metadata.Retry.Max = 0
	plain.Net.ReadTimeout = 2 * time.Second
	if client, err := sarama.NewClient(e.Brokers(), plain); err == nil {
		_ = client.Close()
		t.Error("a client without the secret was served")
	}
	guessed := e.Config()
	guessed.SASLPassword = "guessed"
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if c, err := Connect(ctx, guessed, layout, silent); err == nil {
		_ = c.Close()
		t.Error("a client with a wrong secret was served")
	}
	reached(t, e.Config())
}

func TestEmbedded_LetsOtherUsersReadNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no such modes")
	}
	folder := filepath.Join(t.TempDir(), "broker")
	if err := os.Mkdir(folder, 0o755); err != nil { // as older versions made it
		t.Fatal(err)
	}
	embedded(t, folder)
	for path, want := range map[string]fs.FileMode{".": 0o700, "secret": 0o600, "address": 0o600, "lock": 0o600} {
		info, err := os.Stat(filepath.Join(folder, path))
		if err != nil {
			t.Error(err)
		} else if mode := info.Mode().Perm(); mode != want {
			t.Errorf("%s: mode %o, want %o", path, mode, want)
		}
	}
}

func TestEmbedded_TellsItsSecretToWhoReadsTheFolder(t *testing.T) {
	folder := t.TempDir()
	formerly := ""
	for range 2 { // a former life's secret does not come before the present one's
		e := embedded(t, folder)
		found, running := FindEmbedded(folder)
		if !running || len(found.SASLPassword) < 20 || found.SASLPassword == formerly {
			t.Fatalf("found %v, a secret of %d characters", running, len(found.SASLPassword))
		}
		formerly = found.SASLPassword
		if err := errors.Join(reached(t, found).Close(), e.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEmbedded_OpensTheLogOfAVersionWithoutSecrets: its broker kept a list of users
// that names none.
func TestEmbedded_OpensTheLogOfAVersionWithoutSecrets(t *testing.T) {
	folder := t.TempDir()
	old, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(filepath.Join(folder, "log")))
	if err != nil {
		t.Fatal(err)
	}
	c := reached(t, Config{Brokers: old.ListenAddrs()})
	id := c.TopicID(topics.Users)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	old.Close()
	if now := reached(t, embedded(t, folder).Config()); now.TopicID(topics.Users) != id {
		t.Error("the topics are others")
	}
}

func TestEmbedded_SaysWhatToDoAboutADamagedLog(t *testing.T) {
	folder := t.TempDir()
	e := embedded(t, folder)
	if err := errors.Join(reached(t, e.Config()).Close(), e.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "log", "topics.json"), []byte(`{"version": 1, "top`), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := OpenEmbedded(t.Context(), folder, false, TableValues{})
	if err == nil {
		_ = e.Close()
		t.Fatal("a damaged log was opened")
	}
	for _, want := range []string{folder, "topics.json", "tipoff rebuild", "docs/backup.md"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, without %s", err, want)
		}
	}
}
