//go:build linux || darwin

package node

import "syscall"

// roomOf asks the system for the disk that a folder is on.
func roomOf(folder string) (room, error) {
	var of syscall.Statfs_t
	if err := syscall.Statfs(folder, &of); err != nil {
		return room{}, err
	}
	return room{free: float64(of.Bavail) * float64(of.Bsize), size: float64(of.Blocks) * float64(of.Bsize)}, nil
}
