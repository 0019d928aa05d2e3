package processors

import (
	"time"

	"github.com/lovoo/goka"

	"tipoff/topics"
)

// Graph is a processor for a table set.
type Graph func(Ownership, topics.TableSet) *goka.GroupGraph

// Rewrite asks the owner of a key of a table to write its value again.
type Rewrite func(set topics.TableSet, key string) topics.Record

// Table is one of the tables of a table set, by what keeps it.
type Table struct {
	Graph     Graph
	Rewrite   Rewrite
	Expiry    *Expiry // nil: what it holds stays
	OfBettors bool    // its keys are bettors', its values [state.Bettor]s
	// Gathers is how long its processor may wait for more to read at once.
	Gathers time.Duration
	// Group is what a value is counted as for [Ownership.Held], "" if it is not; nil: none is.
	Group func(key string, value []byte) string
}

// How long a learner's readers may wait for more to read at once. Bettors and fixtures, on
// which the next recommendation rests, are read without waiting.
const (
	LearnerGathers = 200 * time.Millisecond // of what is learnt from: longer than what it is ranked by
	LearnerTables  = 50 * time.Millisecond  // of what it is ranked by
)

// Tables are those that a table set must have before it serves: a process runs their
// processors, and a rebuild waits for everything that their graphs read. The
// learner's table is none of them, as nothing depends on it.
func Tables() []Table {
	return []Table{
		{Graph: Bettors, Rewrite: RewriteBettor, OfBettors: true},
		{Graph: Fixtures, Rewrite: RewriteFixture, Expiry: &Expiry{dueFixture, expireFixture}, Group: unpostedOf},
	}
}

// LoopPasses is how often a record may pass a group's loop on its way: a leg goes to
// its chunk, which may have been released meanwhile, back to its fixture, and at the
// worst to a chunk once more.
const LoopPasses = 3
