package broker

// newest holds records of one partition of a table, in their order, without the values that
// a later one of their key supersedes: most of a log that is read from its beginning is
// superseded, and decoding a value costs far more than passing over it.
//
// What is left has the same effect as all of it, in the same order. So a value takes the
// place of one that is held only if its epoch is no lower: one that a former owner wrote
// late stands beside the right one, and whoever applies both refuses it. Nor does one that
// this program cannot read supersede any, nor a value a deletion before it, as what was
// there before the deletion may have a higher epoch.
//
// Of each record it keeps, beside key and value, what T says of it.
type newest[T any] struct {
	values  TableValues
	records []heldRecord[T]
	keys    map[string]heldKey
	live    int // records that are not superseded
	bytes   int // of their keys and values
}

type heldRecord[T any] struct {
	key        string
	value      []byte
	about      T
	superseded bool
}

// heldKey is where the records of a key are, counted from 1; 0: there is none.
type heldKey struct {
	deleted int // its last deletion
	best    int // the value of the highest epoch since, the last one of it
	late    int // the last value after that which does not supersede it
}

// Bounds on what is held of one partition, so that no second copy of a large table is.
const (
	maxHeldBytes   = 4 << 20
	maxHeldRecords = 1 << 14
)

func newNewest[T any](values TableValues) *newest[T] {
	return &newest[T]{values: values, keys: map[string]heldKey{}}
}

// add holds a record; nil deletes the key. It keeps a copy of the value.
func (n *newest[T]) add(key string, value []byte, about T) {
	if len(n.records) > 2*n.live+minSqueezed {
		n.squeeze()
	}
	k := n.keys[key]
	switch {
	case value == nil:
		n.supersede(k.deleted, k.best, k.late)
		k = heldKey{deleted: n.put(key, nil, nil, about)}
	case n.values.Check(value) != nil: // it changes nothing, but whoever applies it says so
		n.put(key, value, nil, about)
		return
	case k.best == 0 || n.values.Epoch(value) >= n.values.Epoch(n.records[k.best-1].value):
		k.best, k.late = n.put(key, value, n.supersede(k.best, k.late), about), 0
	default:
		k.late = n.put(key, value, n.supersede(k.late), about)
	}
	n.keys[key] = k
}

// put appends a record, with its value in the buffer where it has room.
func (n *newest[T]) put(key string, value, buffer []byte, about T) int {
	if value != nil {
		value = append(buffer[:0], value...)
		if value == nil { // an empty value is no deletion
			value = []byte{}
		}
	}
	n.records = append(n.records, heldRecord[T]{key: key, value: value, about: about})
	n.live++
	n.bytes += len(key) + len(value)
	return len(n.records)
}

// minSqueezed is how many superseded records are at least worth a look at all.
const minSqueezed = 1024

// squeeze frees the places of superseded records.
func (n *newest[T]) squeeze() {
	places, live := make([]int, len(n.records)+1), n.records[:0]
	for i, r := range n.records {
		if !r.superseded {
			live = append(live, r)
			places[i+1] = len(live)
		}
	}
	clear(n.records[len(live):])
	n.records = live
	for key, k := range n.keys {
		n.keys[key] = heldKey{places[k.deleted], places[k.best], places[k.late]}
	}
}

// supersede lets go of records, and returns the buffer of the first one.
func (n *newest[T]) supersede(places ...int) (buffer []byte) {
	for i, place := range places {
		if place == 0 {
			continue
		}
		r := &n.records[place-1]
		n.live--
		n.bytes -= len(r.key) + len(r.value)
		if i == 0 {
			buffer = r.value
		}
		*r = heldRecord[T]{superseded: true}
	}
	return buffer
}

// full says that what is held must be applied.
func (n *newest[T]) full() bool { return n.bytes > maxHeldBytes || n.live > maxHeldRecords }

// apply hands over what is held, in the order in which it came, and holds nothing more.
func (n *newest[T]) apply(apply func(key string, value []byte, about T)) {
	for _, r := range n.records {
		if !r.superseded {
			apply(r.key, r.value, r.about)
		}
	}
	*n = *newNewest[T](n.values)
}
