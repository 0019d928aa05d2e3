package broker

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/IBM/sarama"
)

// several is what goka wraps many errors in.
type several []error

func (s several) Error() string {
	return fmt.Sprintf("%d errors occurred:\n%v", len(s), errors.Join(s...))
}
func (s several) WrappedErrors() []error { return s }

func TestBrief_NamesAFullDiskAndNoKeys(t *testing.T) {
	t.Parallel()
	underWay := func(cause error) error { // as goka tells it
		var all several
		for i := range 131 {
			one := several{fmt.Errorf("error emitting to tipoff-selections: %v", cause)}
			all = append(all, fmt.Errorf("could not commit message with key '%s': %w", fmt.Sprint("default/user ", i), one))
		}
		return fmt.Errorf("asynchronous error from callback: %w", all)
	}
	for want, err := range map[string]error{
		"the disk is full: give it more room":                          fmt.Errorf("%v", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}),
		errDiskFails.Error():                                           underWay(sarama.ErrKafkaStorageError),
		"error emitting to tipoff-selections: circuit breaker is open": underWay(errors.New("circuit breaker is open")),
		"offset of topic t: EOF":                                       fmt.Errorf("offset of topic t: %w", errors.New("EOF")),
		"no coordinator":                                               fmt.Errorf("error processing message for key %s from t/1: %v", "default/u1", "no coordinator"),
		"kafka server: " + strings.Repeat("x", maxFault-len("kafka server: ")-2) + "é": fmt.Errorf("wrapped: %w", errors.New("kafka server: "+strings.Repeat("x", maxFault-len("kafka server: ")-2)+"é")),
	} {
		if got := brief(err).Error(); got != want {
			t.Errorf("%q\nwant %q", got, want)
		}
	}
}
