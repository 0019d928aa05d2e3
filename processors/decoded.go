package processors

import (
	"bytes"
	"sync"
)

// decoded keeps states as they were written last, so that a key that changes often need not
// be decoded each time. A state is believed only where the table still holds the very bytes
// that were written of it. It may be used by many partitions at once.
type decoded[S any] struct {
	most   int
	mu     sync.Mutex
	states map[string]written[S]
}

// written is a state and the bytes that the table holds of it.
type written[S any] struct {
	state *S
	value []byte
}

// How many states a processor keeps at the most: fixtures are few, and most bets are on few of
// them; a bettor seldom bets again soon, unless he does so all the time.
const (
	decodedFixtures = 2048
	decodedBettors  = 256
)

func newDecoded[S any](most int) *decoded[S] {
	return &decoded[S]{most: most, states: map[string]written[S]{}}
}

// take returns the state of a key of which the table holds the value, nil where it has to be
// decoded. Whoever takes a state may change it, and gives it back with put once it is written.
func (d *decoded[S]) take(key string, value []byte) *S {
	d.mu.Lock()
	defer d.mu.Unlock()
	w, ok := d.states[key]
	if !ok {
		return nil
	}
	delete(d.states, key)
	if !bytes.Equal(w.value, value) {
		return nil
	}
	return w.state
}

// put keeps a state that was written as a value, which may not change any more.
func (d *decoded[S]) put(key string, value []byte, state *S) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.states) >= d.most {
		for one := range d.states { // whichever it is
			delete(d.states, one)
			break
		}
	}
	d.states[key] = written[S]{state, value}
}
