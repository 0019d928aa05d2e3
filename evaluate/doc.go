// Package evaluate measures rankers on recorded logs.
//
// What arrives is a [recording.Log]: users, events and coupons in time order. What leaves
// is a [Result] for each ranker. The judge is prequential, on one timeline: each coupon
// is first a question (which of the events that are open would this user bet on?),
// its legs are the right answers, and only then it is learnt from. All open events
// that the user has not bet on yet are candidates; none is left out by sampling, as
// that is known to mislead (Krichene, Rendle, KDD 2020).
//
// The state that serves is built by the same functions of state and rank that the processors
// and views call; see [World]. The baselines (cf, vmis, hand-blend and the simpler ones)
// share nothing with it: each keeps a state of its own, as its paper has it.
package evaluate
