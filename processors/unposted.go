package processors

import (
	"tipoff/state"
	"tipoff/topics"
)

// MaxUnposted is how many events that nobody posted a company's bets may name at a time
// in one partition. With eight partitions, 131,072: a bookmaker who posts bets a little before
// their events has a few hundred. Each takes some 400 bytes of a processor's memory.
const MaxUnposted = 16_384

const oneTooMany = "the event of this selection is not posted, and the company's bets name too many such events already: post events before the bets on them"

// isOneTooMany says whether the record's leg is the first one of an event that is not
// posted, and the company has as many of those as it may. A leg that is refused leaves
// nothing behind, which is the point; see docs/reliability.md for what that costs.
func (in *input) isOneTooMany() bool {
	return in.Value() == nil && in.ownership.Held(in.Partition(), in.company) >= MaxUnposted
}

// unpostedOf is the company of a fixture that was bet on and not posted, "" of all other
// values of the table.
func unpostedOf(key string, value []byte) string {
	if _, _, isChunk := topics.SplitPartKey(key); isChunk || !state.IsUnposted(value) {
		return ""
	}
	company, _, _ := topics.SplitKey(key)
	return company
}
