package broker

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lovoo/goka/storage"
)

// memory is the local copy of one partition of a group's table. The changelog on
// the broker is the truth: a new owner of the partition reads it again.
//
// goka's own memory storage sorts all its keys at each new one, and its LevelDB
// costs ten times what a callback does.
type memory struct {
	mu      sync.RWMutex
	values  map[string][]byte
	offset  int64
	stored  bool                // offset was set
	unacked int                 // values set whose offset on the changelog is not known
	epoch   uint64              // highest seen
	refused error               // why the partition cannot be worked on; nil: it can
	late    map[string]struct{} // keys whose newest value on the changelog is not the one here
	tally   tally               // of values
}

func newMemory() *memory { return &memory{values: map[string][]byte{}, late: map[string]struct{}{}} }

func (m *memory) Open() error  { return nil }
func (m *memory) Close() error { return nil }

// Set keeps a value.
func (h *handle) Set(key string, value []byte) error {
	err := h.memory.Set(key, value)
	if err == nil && h.put != nil {
		h.put(key, value)
	}
	return err
}

// MarkRecovered is called when all of the changelog is here.
func (m *memory) MarkRecovered() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unacked = 0
	return nil
}

func (m *memory) Has(key string) (bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, ok := m.values[key]
	return ok, nil
}

func (m *memory) Get(key string) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.values[key], nil
}

// Set keeps the value itself, which may not change any more.
func (m *memory) Set(key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tally.change(key, m.values[key], value)
	m.values[key] = value
	m.unacked++
	return nil
}

func (m *memory) Delete(key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tally.change(key, m.values[key], nil)
	delete(m.values, key)
	m.unacked++ // goka never says where a deletion stands
	return nil
}

func (m *memory) GetOffset(none int64) (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if !m.stored {
		return none, nil
	}
	return m.offset, nil
}

func (m *memory) SetOffset(offset int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offset, m.stored = max(offset, m.offset), true
	m.unacked = max(0, m.unacked-1)
	return nil
}

// settled says that the copy holds nothing that the changelog does not.
func (m *memory) settled() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.unacked == 0
}

// compare sees whether the changelog, which now ends there, has lost values that are
// here. Then all are written again; and of one that has lost everything goka reads from
// the start, as it refuses to read on from behind an end of 0.
func (m *memory) compare(end int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.stored || m.offset < end {
		return
	}
	for key := range m.values {
		m.late[key] = struct{}{}
	}
	m.stored = end > 0
	if m.offset = end - 1; !m.stored {
		m.offset = 0
	}
}

// follow notes whether the newest value of a key is a former owner's.
func (m *memory) follow(key string, late bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if late {
		m.late[key] = struct{}{}
	} else {
		delete(m.late, key)
	}
}

func (m *memory) saw(epoch uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch = max(m.epoch, epoch)
}

// refuse notes why the partition cannot be worked on, and returns whether that is
// news; the first reason stays.
func (m *memory) refuse(why error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused != nil {
		return false
	}
	m.refused = why
	return true
}

func (m *memory) refusal() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.refused
}

func (m *memory) highest() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.epoch
}

// Iterator walks the keys that are there now.
func (m *memory) Iterator() (storage.Iterator, error) { return m.IteratorWithRange(nil, nil) }

func (m *memory) IteratorWithRange(start, limit []byte) (storage.Iterator, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	keys := make([]string, 0, len(m.values))
	for key := range m.values {
		if key >= string(start) && (len(limit) == 0 || key < string(limit)) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return &keysIterator{of: m, keys: keys, at: -1}, nil
}

type keysIterator struct {
	of   *memory
	keys []string
	at   int
}

func (i *keysIterator) Next() bool {
	i.at++
	return i.at < len(i.keys)
}

func (i *keysIterator) Seek(key []byte) bool {
	found, _ := slices.BinarySearch(i.keys, string(key))
	i.at = found - 1
	return found < len(i.keys)
}

func (i *keysIterator) Key() []byte            { return []byte(i.keys[i.at]) }
func (i *keysIterator) Value() ([]byte, error) { return i.of.Get(i.keys[i.at]) }
func (i *keysIterator) Err() error             { return nil }
func (i *keysIterator) Release()               {}

// handle is one session's use of a memory. An acknowledgement that comes after the
// session must not touch what the next one holds.
type handle struct {
	*memory
	stale  func(key string) // is told the late keys
	put    func(key string, value []byte)
	closed atomic.Bool
}

// MarkRecovered is called when all of the changelog is here.
func (h *handle) MarkRecovered() error {
	h.mu.Lock()
	keys := slices.Collect(maps.Keys(h.late))
	clear(h.late)
	h.mu.Unlock()
	for _, key := range keys {
		h.stale(key)
	}
	return h.memory.MarkRecovered()
}

// Close ends the use; the memory stays for the next session.
func (h *handle) Close() error {
	h.closed.Store(true)
	return nil
}

// SetOffset notes where a value stands on the changelog.
func (h *handle) SetOffset(offset int64) error {
	if h.closed.Load() {
		return nil
	}
	return h.memory.SetOffset(offset)
}

// offsetOnly is the storage of a view that keeps its values itself: it remembers
// where the view stands, so that a reconnect goes on there.
type offsetOnly struct {
	memory

	// Of the goroutine that reads the partition:
	held  *newest[time.Time] // what is read and not applied; nil: nothing is held
	until int64              // the offset before which it is held
}

// SetOffset notes that the value there, and all before it, are applied.
func (o *offsetOnly) SetOffset(offset int64) error {
	if o.held != nil && len(o.held.records) > 0 {
		return nil
	}
	return o.memory.SetOffset(offset)
}

var errNoValues = errors.New("this storage keeps no values")

func (o *offsetOnly) Set(string, []byte) error   { return errNoValues }
func (o *offsetOnly) Get(string) ([]byte, error) { return nil, errNoValues }
