package topics

// RejectionKind is why a record could not be used, in few words that metrics and alerts
// may name; a [Rejection] has the reason in full.
type RejectionKind string

// The kinds of rejection.
const (
	// Malformed: the key, or a message between processors, has no form that is known.
	Malformed RejectionKind = "malformed"
	// Invalid: a field of the record cannot be as it is.
	Invalid RejectionKind = "invalid"
	// Contradicts: another content stands under the same id.
	Contradicts RejectionKind = "contradicts"
	// TooOld: a repeat could not be told.
	TooOld RejectionKind = "too-old"
	// NeverPosted: the event of a leg did not come in time.
	NeverPosted RejectionKind = "never-posted"
	// TooManyUnposted: the company's bets name too many events that nobody posted.
	TooManyUnposted RejectionKind = "too-many-unposted"
	// BrokenTable: the table's value that the record would change cannot be read.
	BrokenTable RejectionKind = "broken-table"
	// Panicked: the record made the program panic.
	Panicked RejectionKind = "panicked"
	// RefusedByDatabase: the database will never take it.
	RefusedByDatabase RejectionKind = "refused-by-database"
)

// ProcessorRejections are the kinds of rejection that processors know.
func ProcessorRejections() []RejectionKind {
	return []RejectionKind{Malformed, Invalid, Contradicts, TooOld, NeverPosted, TooManyUnposted, BrokenTable, Panicked}
}
