// Package rank decides which events a bettor should see: an [Index] holds the open
// events of one company and what its bettors bet on, and [Index.Rank] orders them by the
// weights of a plain ranker or of the company's [Model], which learns from every coupon.
//
// Views serve with it, the learner trains with it, and evaluate measures it on recorded
// logs, by these same functions, so that what is measured is what is served. Like
// package state it has no clock, no network and no random source: the same state,
// question and moment give the same list on every gateway. Where chance is needed, as
// between equal scores, it follows from the question; see [Scatter].
//
// What serves a model is in model.go, net.go, taste.go and vectors.go; how it learns is
// in training.go, trainingtaste.go and measure.go, which serving never enters, and its
// bytes are in modelbytes.go.
package rank
