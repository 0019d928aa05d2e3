package views

import (
	"fmt"

	"tipoff/state"
	"tipoff/topics"
)

// PutBettor applies a value of the bettors' table; nil deletes. The error is
// [ErrStale], or names a value that cannot be read; both change nothing. Learning views
// keep the value, which may not change then. Values are decoded into memory that is used
// again, as nothing is kept of what they are decoded into.
func (v *Views) PutBettor(key string, value []byte) error {
	name, id, ok := topics.SplitKey(key)
	if !ok {
		return fmt.Errorf("bettor %q: the key is not company/user", key)
	}
	var fresh *state.Bettor
	if value != nil {
		fresh = v.decoded.Get().(*state.Bettor)
		defer v.decoded.Put(fresh)
		fresh.User.ID = id // the value names him too, and what is there is not copied
		if err := fresh.Unmarshal(value); err != nil {
			return fmt.Errorf("bettor %q: %w", key, err)
		}
		fresh.User.ID = id
	}
	c := v.makeCompany(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.index.Bettor(id); old != nil && fresh != nil && fresh.Epoch < old.Epoch {
		return fmt.Errorf("bettor %q: %w", key, ErrStale)
	}
	c.index.PutBettor(id, fresh)
	switch {
	case !v.learning:
	case fresh == nil:
		delete(c.bettors, id)
	default:
		c.bettors[id] = value
	}
	return nil
}
