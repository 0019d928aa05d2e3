package evaluate

import "slices"

// ranking is one list that a ranker returned, with what was bet on.
type ranking struct {
	top     []int32
	targets []int32
	user    int32
	at      int64 // Unix seconds
	bets    int   // distinct events that the user bet on before
	events  []Event
	all     float64 // bets so far
	micros  float64
	along   float64 // how far along the scored part of the log, 0..1
}

func (a *ranking) hit(rank int) bool { return slices.Contains(a.targets, a.top[rank]) }
