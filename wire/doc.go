// Package wire holds the primitives of the bytes of table values and of the messages
// between processors: varints, little-endian words, and strings with their length
// before them. Packages state and rank write and read their values with it.
//
// A [Reader] never fails at once: after a fault every read returns zero, and
// [Reader.End], to be called after the last one, returns the error. So a value is read
// without a check at each field; only a loop over a length needs one, and [Reader.Count]
// has it. A format is the order of the calls alone: a new one needs a new version, which
// the packages that use wire keep in the first byte.
package wire
