// Package oracle recomputes from the facts on the topics what the tables must hold,
// by the rules of docs/reliability.md, and compares the two. It is the independent
// witness of the model test and of the chaos harness; no program contains it.
//
// It is meant to be obvious, not fast: it goes over all facts of a company at once,
// and keeps nothing from one record to the next that could be kept wrongly. Of the
// code under test it uses the decoding of table values, the short forms of names and
// ids, and the bounds of lists. Rules and numbers are stated here a second time on
// purpose, since a mistake must not be its own witness: who changes a rule changes it
// in both places.
//
// It forgets nothing. A bettor keeps the last coupons and legs only, so facts to be
// compared stay below [state.MaxCoupons] coupons and [state.HistoryLegs] legs a user.
package oracle
