package broker

// tally counts the values of a partition by group, as [TableValues.Group] says.
type tally struct {
	groupOf func(key string, value []byte) string // nil: nothing is counted
	held    map[string]int
}

// change counts a value that takes another one's place; nil stands for none.
func (t *tally) change(key string, old, fresh []byte) {
	if t.groupOf == nil {
		return
	}
	if t.held == nil {
		t.held = map[string]int{}
	}
	if old != nil {
		t.add(t.groupOf(key, old), -1)
	}
	if fresh != nil {
		t.add(t.groupOf(key, fresh), 1)
	}
}

func (t *tally) add(group string, n int) {
	if group == "" {
		return
	}
	if t.held[group] += n; t.held[group] == 0 {
		delete(t.held, group)
	}
}

// Held is how many values of a group the partition's table holds.
func (o *Owner) Held(partition int32, group string) int {
	table := o.table(partition)
	if table == nil {
		return 0
	}
	table.mu.RLock()
	defer table.mu.RUnlock()
	return table.tally.held[group]
}
