package evaluate

import "slices"

// answer is one list held against what was bet on.
type answer struct {
	top     []int32
	targets []int32
	user    int32
	at      int64 // Unix seconds
	bets    int   // distinct events that the user bet on before
	events  []Event
	all     float64 // bets so far
	micros  float64
	place   float64 // in the scored part of the log, 0..1
}

func (a *answer) hit(place int) bool { return slices.Contains(a.targets, a.top[place]) }
