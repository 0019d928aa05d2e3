package state

import (
	"math"
	"time"

	"tipoff/wire"
)

// Half-lives of what is learnt.
const (
	TasteHalfLife      = 30 * 24 * time.Hour // of a bettor's affinities
	PopularityHalfLife = 6 * time.Hour       // of an event's bets
)

// PaceHalfLives are those of an event's bets beside [PopularityHalfLife].
var PaceHalfLives = [PaceCount]time.Duration{5 * time.Minute, 20 * time.Minute, 2 * time.Hour, 48 * time.Hour, 30 * 24 * time.Hour}

const PaceCount = 5

// Decay is the factor by which a weight fades in the given seconds: 2^(-seconds/halfLife).
// Negative seconds make it grow, so that facts may come in any order (forward
// decay: Cormode, Shkapenyuk, Srivastava, Xu, ICDE 2009).
func Decay(seconds int64, halfLife time.Duration) float64 {
	return math.Exp2(-float64(seconds) / halfLife.Seconds())
}

// Decayed is a sum of weights, each halved for every half-life since it was
// added. At is the second (Unix) that Sum refers to: the newest addition's.
type Decayed struct {
	Sum float64
	At  int64
}

// Add puts weight in at the given second. Late additions count less, and the
// order of additions does not matter beyond rounding.
func (d *Decayed) Add(weight float64, at int64, halfLife time.Duration) {
	switch {
	case d.Sum == 0: // not faded: from a far past that would be 0 times infinity
		d.At = at
	case at > d.At:
		d.Sum *= Decay(at-d.At, halfLife)
		d.At = at
	}
	d.Sum += weight * Decay(d.At-at, halfLife)
}

// Value is the sum as of the given second; before At it is taken as of At, so
// that a bet dated ahead weighs no more than a bet of now.
func (d Decayed) Value(at int64, halfLife time.Duration) float64 {
	if at <= d.At {
		return d.Sum
	}
	return d.Sum * Decay(at-d.At, halfLife)
}

func writeDecayed(w *wire.Writer, d Decayed) {
	w.Float(d.Sum)
	w.Int(d.At)
}

func readDecayed(r *wire.Reader) Decayed { return Decayed{Sum: r.Float(), At: r.Int()} }
