//go:build !linux && !darwin

package node

import "errors"

// roomOf asks the system for the disk that a folder is on.
func roomOf(string) (room, error) { return room{}, errors.ErrUnsupported }
