// Package score holds what Tipoff knows and how it decides, without a clock, a
// network or a random source of its own.
//
// A fact changes a [state.Bettor] or a [state.Fixture]; both fit into a table value of about
// a kilobyte. An [Index] holds the open fixtures of one company and the crowd's
// taste, and ranks them for a bettor. The processors, the views and the offline
// evaluation call these same functions, so that what is measured is what is
// served.
package score
