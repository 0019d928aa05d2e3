package tipoff

import (
	"errors"
	"fmt"
	"strings"
	"time"
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
)

// Unavailable wraps cause as [ErrUnavailable], saying what was attempted.
func Unavailable(attempted string, cause error) error {
	return fmt.Errorf("%s: %w: %w", attempted, ErrUnavailable, cause)
}

// RetryAfter is how long a client is asked to wait after [ErrUnavailable] or
// [ErrBusy].
const RetryAfter = 2 * time.Second

// Fault is one thing wrong with one posted item.
type Fault struct {
	Index   int    `json:"index"`        // position of the item in the body, from 0
	ID      string `json:"id,omitempty"` // the item's public id, where it could be read
	Field   string `json:"field"`        // path of the field, as "selections[2].odds"; "" for the item as a whole
	Message string `json:"message"`      // what is wrong and what the bound is
}

func (f Fault) String() string {
	if f.Field == "" {
		return f.Message
	}
	return f.Field + ": " + f.Message
}

// Faults is an error that lists everything wrong with one item.
type Faults []Fault

func (f Faults) Error() string {
	said := make([]string, len(f))
	for i, fault := range f {
		said[i] = fault.String()
	}
	return strings.Join(said, "; ")
}
