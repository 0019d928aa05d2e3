package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const areaDisk = "disk"

// How much room the data folder's disk is to have.
const (
	roomWarns      = 2 << 30
	roomWrong      = 256 << 20
	roomWarnsShare = 0.05 // of the disk
)

// usesFolder says whether this process keeps anything in the data folder.
func (e *examination) usesFolder() bool {
	return e.Embedded() || e.DatabaseURL == "" || strings.HasPrefix(e.DatabaseURL, "sqlite:")
}

// checkDisk sees whether the data folder has room, and whose it is.
func (e *examination) checkDisk() {
	if !e.usesFolder() {
		e.report.add(Check{Area: areaDisk, Name: "room", State: Skipped, Detail: "nothing is kept on this machine"})
		return
	}
	folder, err := existing(e.Data)
	if err != nil {
		e.report.add(Check{Area: areaDisk, Name: "room", State: Unknown, Detail: err.Error(), Advice: []Advice{{Do: "set TIPOFF_DATA to a folder that this user may use"}}})
		return
	}
	free, all, err := room(folder)
	if err != nil {
		e.report.add(Check{Area: areaDisk, Name: "room", State: Unknown, Detail: fmt.Sprintf("%s: %v", folder, err)})
	} else {
		e.report.add(judgeRoom(folder, free, all))
	}
	e.checkAccess()
}

// existing is the folder itself, or the nearest one above it that is there.
func existing(folder string) (string, error) {
	at, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(at)
		if err == nil {
			return at, nil
		}
		if up := filepath.Dir(at); errors.Is(err, fs.ErrNotExist) && up != at {
			at = up
			continue
		}
		return "", err
	}
}

// judgeRoom says whether so many free bytes of a disk are enough.
func judgeRoom(folder string, free, all uint64) Check {
	share := float64(free) / max(1, float64(all))
	c := Check{Area: areaDisk, Name: "room", State: OK, Detail: fmt.Sprintf("%s free of %s for %s", size(free), size(all), folder)}
	switch {
	case free < roomWrong:
		c.State, c.Detail = Wrong, c.Detail+": posts will be answered 503, and rows will wait"
	case free < roomWarns || share < roomWarnsShare:
		c.State = Warning
	}
	if c.State != OK {
		c.Advice = []Advice{{Do: "give the disk more room; a lower TIPOFF_RETENTION frees some too, but drops older facts for good, also those that the database has not got yet; this says what takes it:", Command: []string{"du", "-xh", "--max-depth=3", folder}}}
	}
	return c
}

// checkAccess sees whether the folder and its files are this user's, and nobody else's.
func (e *examination) checkAccess() {
	var closed, open []string
	paths := []string{e.Data, e.found.Folder, e.SQLiteFile()}
	if e.found.Folder != "" {
		paths = append(paths, filepath.Join(e.found.Folder, "log"), filepath.Join(e.found.Folder, "secret"))
	}
	there := 0
	for i, path := range paths {
		info, err := os.Stat(path)
		if path == "" || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		there++
		switch {
		case err != nil || !usable(path, info):
			closed = append(closed, path)
		case i > 0 && path != filepath.Join(e.found.Folder, "log") && info.Mode().Perm()&0o007 != 0: // what is in the broker's folder is behind its own mode
			open = append(open, path)
		}
	}
	c := Check{Area: areaDisk, Name: "access", State: OK, Detail: "its files are this user's"}
	switch {
	case there == 0:
		c.State, c.Detail = Skipped, e.Data+" is not there yet"
	case len(closed) > 0:
		c.State, c.Detail = Wrong, "this user may not read and write "+some(closed)
		c.Advice = []Advice{{Do: "run Tipoff as the user whom they belong to, or give them to this one:", Command: []string{"ls", "-ld", closed[0]}}}
	case len(open) > 0:
		c.State, c.Detail = Warning, "other users of this machine may read "+some(open)
		c.Advice = []Advice{{Do: "the next start closes it to them, and so does:", Command: append([]string{"chmod", "o-rwx"}, open...)}}
	}
	e.report.add(c)
}
