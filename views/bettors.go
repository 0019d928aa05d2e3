package views

import (
	"fmt"

	"tipoff"
	"tipoff/score"
)

// PutBettor takes a value of the bettors' table in; nil deletes. The error names
// a value that cannot be read, which changes nothing.
func (v *Views) PutBettor(key string, value []byte) error {
	name, id, ok := tipoff.SplitKey(key)
	if !ok {
		return fmt.Errorf("bettor %q: the key is not company/user", key)
	}
	var fresh *score.Bettor
	if value != nil {
		var err error
		if fresh, err = score.UnmarshalBettor(value); err != nil {
			return fmt.Errorf("bettor %q: %w", key, err)
		}
		fresh.User.ID = id
	}
	c := v.makeCompany(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.index.PutBettor(c.bettors[id], fresh)
	if fresh == nil {
		delete(c.bettors, id)
	} else {
		c.bettors[id] = fresh
	}
	return nil
}

func (c *company) bettor(id string) *score.Bettor {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.bettors[id]
}
