package tipoff

import "time"

// DeadLetter is a record that could not be used, as a company may see it.
type DeadLetter struct {
	ID        string    `json:"id"`     // its partition and offset on the topic of rejections, as 3-1287
	Reason    string    `json:"reason"` // in a word, as the metric tipoff_rejected_total has it
	Detail    string    `json:"detail"`
	Topic     string    `json:"topic"` // that it came from, with partition and offset there
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Key       string    `json:"key"`
	At        time.Time `json:"at"`        // when it was rejected
	Value     string    `json:"value"`     // its first [MaxDeadLetterText] bytes, as text
	Truncated bool      `json:"truncated"` // it has more
}

// Bounds of dead letters.
const (
	MaxDeadLetterText    = 4 << 10 // bytes
	MaxDeadLetters       = 100     // a page
	DefaultDeadLetters   = 20
	MaxDeadLettersLooked = 1000    // records that one question reads, the newest
	MaxDeadLetterBytes   = 4 << 20 // of those
	ReasonUnknown        = "unknown"
)

// DeadLetterFilter is a question for dead letters.
type DeadLetterFilter struct {
	Reason string // "": any
	Cursor string // of the page before; "": the first page
	N      int
}

// ReasonCount is how many dead letters have a reason.
type ReasonCount struct {
	Reason  string `json:"reason"`
	Records int    `json:"records"`
}

// DeadLetterPage is a page of dead letters, the newest first.
type DeadLetterPage struct {
	Rejected []DeadLetter  `json:"rejected"`
	Cursor   *string       `json:"cursor"` // of the next page; nil: this is the last
	Counts   []ReasonCount `json:"counts"` // of all that were looked at, whatever their reason
	Older    int64         `json:"older"`  // records of the topic that were not looked at, of whomever
}

// DeadLetterCursor is where a page of dead letters ended: the newest come first.
type DeadLetterCursor struct {
	At time.Time
	ID string // "": the first page
}

// DeadLetterCursorAfter is the cursor of a page whose last one is l.
func DeadLetterCursorAfter(l *DeadLetter) string { return encodeCursor(l.At, l.ID) }

// ParseDeadLetterCursor reads a cursor; "" is the first page.
func ParseDeadLetterCursor(s string) (DeadLetterCursor, error) {
	at, id, err := decodeCursor(s)
	return DeadLetterCursor{at, id}, err
}

// Conflict is why something that is known cannot be done, and what to do instead.
type Conflict struct{ Why string }

func (c *Conflict) Error() string { return c.Why }
