package views

import (
	"time"

	"tipoff"
	"tipoff/rank"
)

const (
	movementMost  = 288             // points
	movementSpan  = 5 * time.Minute // between them, after a day; closer before
	movementFirst = 10 * time.Second
	movedTerms    = 8 // terms that are shown
)

// movement is how a model's weights have moved, as this process saw models come. Points
// are close together at first; where they become too many every other one goes, so that
// they cover a day in the end.
type movement struct {
	points []weightsPoint
	every  time.Duration // least time between two points
}

type weightsPoint struct {
	at      time.Time
	weights [rank.Terms]float32
}

// add adds a model's weights, unless the last point is too near.
func (m *movement) add(weights [rank.Terms]float32, at time.Time) {
	m.every = max(m.every, movementFirst)
	if last := len(m.points) - 1; last >= 0 && at.Sub(m.points[last].at) < m.every {
		return
	}
	if len(m.points) == movementMost {
		if m.every < movementSpan {
			m.every = min(2*m.every, movementSpan)
			for i := range movementMost / 2 {
				m.points[i] = m.points[2*i+1]
			}
			m.points = m.points[:movementMost/2]
		} else {
			m.points = append(m.points[:0], m.points[1:]...)
		}
	}
	m.points = append(m.points, weightsPoint{at, weights})
}

// over are the points with the weights of some terms.
func over(points []weightsPoint, terms []tipoff.TermWeight) []tipoff.WeightsThen {
	number := map[string]int{}
	for t, name := range rank.TermNames {
		number[name] = t
	}
	all := make([]tipoff.WeightsThen, len(points))
	for i, p := range points {
		all[i] = tipoff.WeightsThen{At: p.at.UTC(), Weights: make(map[string]float64, len(terms))}
		for _, term := range terms {
			all[i].Weights[term.Term] = float64(p.weights[number[term.Term]])
		}
	}
	return all
}
