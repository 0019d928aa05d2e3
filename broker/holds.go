package broker

import "slices"

// hold keeps finished records from being committed: what followed from them is in
// the process's memory alone, until a later record has written it to the table. A
// window has one hold for each key, and one for each write under way.
type hold struct {
	key  string
	from int64 // the first such record
	by   int64 // the record that writes it; unwritten: none has yet
}

const unwritten = -1

// Hold says that what follows from a record is in memory alone: the record, and
// those after it in its partition, are delivered again to the next owner, until a
// record that [Owner.Settle] names is finished.
func (o *Owner) Hold(topic string, partition int32, key string, offset int64) {
	if w := o.window(topic, partition); w != nil {
		w.hold(key, offset)
	}
}

// Settle says that a record writes to the table all that was held under its key.
func (o *Owner) Settle(topic string, partition int32, key string, offset int64) {
	if w := o.window(topic, partition); w != nil {
		w.settle(key, offset)
	}
}

func (w *window) hold(key string, from int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.ContainsFunc(w.holds, func(h hold) bool { return h.key == key && h.by == unwritten }) {
		w.holds = append(w.holds, hold{key, from, unwritten})
	}
}

func (w *window) settle(key string, by int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.holds {
		if h := &w.holds[i]; h.key == key && h.by == unwritten {
			h.by = by
		}
	}
}

// release ends the holds that the finished record has written, and returns up to
// where records may be committed: those before it are finished, and none is held.
func (w *window) release(finished int64) int64 {
	w.holds = slices.DeleteFunc(w.holds, func(h hold) bool { return h.by == finished })
	upTo := w.floor
	for _, h := range w.holds {
		upTo = min(upTo, h.from)
	}
	return upTo
}
