package rebuild_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tipoff/rebuild"
	"tipoff/topics"
)

// TestBackup_AFolderThatWasCopiedHasTheSameState does what docs/backup.md says of
// the broker and the database inside the process.
func TestBackup_AFolderThatWasCopiedHasTheSameState(t *testing.T) {
	t.Parallel()
	r := newRebuilding(t)
	before := r.Settled(topics.TableSet{})
	r.node.End()
	copied := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(copied, os.DirFS(r.settings.Data)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(r.settings.Data); err != nil {
		t.Fatal(err)
	}
	r.settings.Data = copied
	r.restart()
	if err := before.Differ(r.Settled(topics.TableSet{})); err != nil {
		t.Errorf("the copy differs: %v", err)
	}
	end := r.Asking(r.node.URL())
	r.Bet(5)
	r.Settled(topics.TableSet{})
	end(1)
}

// TestBackup_TheDatabaseAloneBringsTheTablesBack: the broker's log is lost.
func TestBackup_TheDatabaseAloneBringsTheTablesBack(t *testing.T) {
	t.Parallel()
	r := newRebuilding(t)
	before := r.Settled(topics.TableSet{})
	r.database(r.Mirrored)
	r.node.End()
	if err := os.RemoveAll(filepath.Join(r.settings.Data, "broker")); err != nil {
		t.Fatal(err)
	}
	// Nobody runs on the folder: the rebuild does the work itself.
	if out := r.Rebuilt(rebuild.Rebuild{}); !strings.Contains(out, "serves alone") || !strings.Contains(out, "topics that are gone") {
		t.Errorf("said %s", out)
	}
	r.restart()
	next := r.Serving()
	if err := before.Differ(r.Settled(next)); err != nil {
		t.Errorf("the tables differ from those before: %v", err)
	}
	end := r.Asking(r.node.URL())
	r.Bet(5)
	now := r.Settled(next)
	end(1)
	// What came before the loss and after it is there once after another rebuild.
	r.database(r.Mirrored)
	r.Rebuilt(rebuild.Rebuild{})
	if err := now.Differ(r.Settled(r.Serving())); err != nil {
		t.Errorf("after another rebuild the tables differ: %v", err)
	}
}
