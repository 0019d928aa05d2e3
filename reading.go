package tipoff

import (
	"time"

	"tipoff/fields"
)

// Reading says how a body is read and which clock its times are compared with.
type Reading struct {
	// Now is the clock for "this year" and "at most one day ahead": the
	// gateway's for a request, the broker's append time for a record.
	Now time.Time
	// Strict makes a field that the contract does not name a fault, so that a
	// typo cannot vanish. The old routes and the topics are not strict.
	Strict bool
}

// maxAhead is how far a bet's time may lie ahead of [Reading.Now].
const maxAhead = 24 * time.Hour

// ParseTime reads the forms of time that clients post; see [fields.ParseTime].
func ParseTime(s string) (time.Time, error) { return fields.ParseTime(s) }

// CheckID compares a public id that did not come in a body with its bounds; the
// error says which one it breaks.
func CheckID(id string) error {
	if err := fields.CheckID(id); err != nil {
		return err
	}
	return fields.CheckVisible(id)
}

// Shown is a name that a client gave, as it is told back; see [fields.Shown].
func Shown(name string) string { return fields.Shown(name) }

// NotJSON is the message of a body that is not JSON; see [fields.NotJSON].
func NotJSON(err error) string { return fields.NotJSON(err) }
