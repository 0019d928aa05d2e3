package tipoff

import (
	"errors"
	"fmt"
	"time"

	"tipoff/fields"
)

// The kinds of error that cross a package border. Wrap them with what was
// attempted; the HTTP gateway keeps the one table from kinds to statuses.
var (
	// ErrNotFound: the entity asked for is not known.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable: a part that the request needs is down; the same request
	// may succeed later.
	ErrUnavailable = errors.New("unavailable")
	// ErrBusy: a bounded queue is full; the same request may succeed soon.
	ErrBusy = errors.New("too many requests waiting")
	// ErrConflict: what is asked for is known, and not possible as things are.
	ErrConflict = errors.New("not possible as things are")
)

// Refusal is an error of one of the kinds whose words are for the client.
type Refusal struct {
	Kind   error
	Reason string
}

func (r *Refusal) Error() string { return r.Reason }

func (r *Refusal) Unwrap() error { return r.Kind }

// Unavailable wraps cause as [ErrUnavailable], saying what was attempted.
func Unavailable(attempted string, cause error) error {
	return fmt.Errorf("%s: %w: %w", attempted, ErrUnavailable, cause)
}

// RetryAfter is how long a client is asked to wait after [ErrUnavailable] or
// [ErrBusy].
const RetryAfter = 2 * time.Second

// Fault and Faults are what is wrong with a posted item.
type (
	Fault  = fields.Fault
	Faults = fields.Faults
)
