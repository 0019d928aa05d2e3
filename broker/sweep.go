package broker

// Keys lists the keys of this process's partitions whose values pass, so that it can
// be asked what becomes of them. To pass must be quick: a partition's records wait
// meanwhile.
func (p *Processor) Keys(passes func(key string, value []byte) bool) []string {
	p.owner.mu.Lock()
	tables := make([]*memory, 0, len(p.owner.tables))
	for _, table := range p.owner.tables {
		tables = append(tables, table)
	}
	p.owner.mu.Unlock()
	var keys []string
	for _, table := range tables {
		keys = table.keys(keys, passes)
	}
	return keys
}

func (m *memory) keys(keys []string, passes func(key string, value []byte) bool) []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for key, value := range m.values {
		if passes(key, value) {
			keys = append(keys, key)
		}
	}
	return keys
}
