// Package state holds what is known of a bettor ([Bettor]), of an event ([Fixture]) and
// of the legs that wait for one ([Chunk]), how a fact changes it, the messages between
// those who keep it ([Leg], [Resolved], [Choice]), and the bytes of all of them.
//
// The processors keep these values in their tables, views and evaluate read them, and
// package rank ranks with them. All is a pure function of what it is given: no clock,
// no network, no random source, so that a fact that is delivered again leaves the value
// as it is, and leads to the same messages.
//
// A value that any earlier version wrote must still be read: testdata/values has values
// of each version, and a change of a format needs a new [TableVersion].
package state
