//go:build linux || darwin || freebsd

package doctor

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// room is how many bytes a folder's disk has free for this user, of how many.
func room(folder string) (free, all uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), uint64(s.Blocks) * uint64(s.Bsize), nil
}

// usable says whether this user may read and write a file, or make files in a folder.
func usable(path string, info fs.FileInfo) bool {
	how := uint32(unix.R_OK | unix.W_OK)
	if info.IsDir() {
		how |= unix.X_OK
	}
	return unix.Access(path, how) == nil
}

// openFiles is how many files this process may have open; 0: not known.
func openFiles() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return uint64(limit.Cur)
}
