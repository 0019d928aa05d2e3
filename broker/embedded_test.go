package broker

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// TestOpenEmbedded_WaitsForWhoHoldsTheFolderForAMoment, as the doctor does while it looks
// whether a process has it.
func TestOpenEmbedded_WaitsForWhoHoldsTheFolderForAMoment(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	doctor := flock.New(filepath.Join(folder, "lock"))
	if err := doctor.Lock(); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := OpenEmbedded(ended, folder, false, TableValues{}); !errors.Is(err, context.Canceled) {
		t.Errorf("of a start that was given up: %v", err)
	}
	let := time.AfterFunc(2*lockEvery, func() { _ = doctor.Unlock() })
	defer let.Stop()
	e, err := OpenEmbedded(t.Context(), folder, false, TableValues{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
