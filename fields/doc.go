// Package fields reads the fields of one JSON object and gathers every fault in it.
//
// What arrives is the bytes of a body. A [Reader] walks them once, without building
// a tree: the caller says for each name of a field which kind of value and which
// bounds it wants, and gets the value. What leaves is the values and, from
// [Reader.End], the [Faults], each with the path of its field and the bound it
// broke. A value with a fault does not end the reading, so a client learns what is
// wrong with an item from one response, the first [MaxFaults] faults and how many more
// there are; only what is not JSON ends it.
//
// The forms of time and of public ids are here too, because they are the same in a
// path and in a query as in a body.
package fields
