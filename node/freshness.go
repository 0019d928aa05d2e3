package node

import (
	"fmt"

	"tipoff/broker"
)

// withinLag is the state of a part that a gateway's responses depend on: in a gateway,
// one that is further behind than the settings allow is not ready, so that a load
// balancer asks another gateway meanwhile. Other processes serve nobody; a learner that
// is behind makes no response older.
func (r *runningSet) withinLag(state func() broker.State) func() broker.State {
	most := r.node.settings.MaxLag
	if r.sets.archive == nil || most == 0 {
		return state
	}
	return func() broker.State {
		s := state()
		if s.Ready && uint64(max(0, s.Lag)) > most {
			s.Ready, s.Behind = false, true
			s.Detail += fmt.Sprintf(", but is more than %d records behind (TIPOFF_MAX_LAG): wait until it has caught up, or add processes of its role", most)
		}
		return s
	}
}
