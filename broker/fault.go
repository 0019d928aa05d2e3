package broker

import (
	"errors"
	"strings"
	"syscall"

	"github.com/IBM/sarama"
)

// maxFault bounds what is told of an error, in bytes.
const maxFault = 300

// errDiskFull and errDiskFails are told instead of whatever they are found in.
var (
	errDiskFull  = errors.New("the disk is full: give it more room")
	errDiskFails = errors.New("the broker cannot write to its disk, which is full or fails: see its log, and give it more room")
)

// brief is an error in one line that is fit for a log and for /readyz. goka wraps what
// went wrong for every record under way, with the record's key, which is a client's
// id: of those the first is told, from where no key is named.
func brief(err error) error {
	if err == nil {
		return nil
	}
	// goka wraps most errors as text alone.
	switch text := err.Error(); {
	case errors.Is(err, syscall.ENOSPC), strings.Contains(text, syscall.ENOSPC.Error()):
		return errDiskFull
	case errors.Is(err, sarama.ErrKafkaStorageError), strings.Contains(text, sarama.ErrKafkaStorageError.Error()):
		return errDiskFails
	}
	for {
		text := err.Error()
		if len(text) <= maxFault && !strings.Contains(text, "\n") && !strings.Contains(text, "key ") {
			return errors.New(text)
		}
		within := wrapped(err)
		if within == nil {
			text, _, _ = strings.Cut(text[strings.LastIndex(text, ": ")+1:], "\n")
			return errors.New(strings.TrimSpace(strings.ToValidUTF8(text[:min(len(text), maxFault)], "")))
		}
		err = within
	}
}

// wrapped is the error, or the first of those, that err wraps.
func wrapped(err error) error {
	switch err := err.(type) {
	case interface{ WrappedErrors() []error }: // goka's, whose Unwrap goes to the next one
		return err.WrappedErrors()[0]
	case interface{ Unwrap() error }:
		return err.Unwrap()
	case interface{ Unwrap() []error }:
		return err.Unwrap()[0]
	}
	return nil
}
