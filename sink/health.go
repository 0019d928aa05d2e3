package sink

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// quiet is how long nothing more is logged about a kind of failure that was logged:
// a database that comes and goes must not flood the log.
const quiet = 10 * time.Second

// Trouble is why facts wait instead of being written.
type Trouble struct {
	Kind  Kind
	Since time.Time
	Cause error
}

// String says what is wrong since when, what to do, and the error.
func (t *Trouble) String() string {
	what, do, _ := describe(t.Kind)
	return fmt.Sprintf("%s, since %s: %s (%v)", what, t.Since.UTC().Format(time.RFC3339), do, t.Cause)
}

// Explain adds to an error of this database what is wrong and what to do about it.
func (d *Database) Explain(err error) error {
	if err == nil {
		return nil
	}
	what, do, _ := describe(classify(err))
	return fmt.Errorf("%s: %s: %s (%w)", d.where, what, do, err)
}

// health knows which partitions wait, and why. It logs the beginning and the end of
// a trouble once, however many partitions have it and however often they try.
type health struct {
	log   *slog.Logger
	where string // the database

	mu      sync.Mutex
	waiting map[partition]Trouble
	began   time.Time          // since when some partition waits
	told    map[Kind]bool      // logged since then
	said    map[Kind]time.Time // when each was logged last
}

func newHealth(where string, log *slog.Logger) *health {
	return &health{log: log, where: where, waiting: map[partition]Trouble{}, told: map[Kind]bool{}, said: map[Kind]time.Time{}}
}

// failed notes that a partition waits.
func (h *health) failed(of partition, t Trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) == 0 {
		h.began = t.Since
	}
	h.waiting[of] = t
	now := time.Now()
	if h.told[t.Kind] || now.Sub(h.said[t.Kind]) < quiet {
		return
	}
	h.told[t.Kind], h.said[t.Kind] = true, now
	what, do, _ := describe(t.Kind)
	h.log.Error("the database does not take rows, and facts wait: "+what, "do", do, "database", h.where,
		"topic", of.topic, "partition", of.number, "error", t.Cause)
}

// well notes that a partition was written.
func (h *health) well(of partition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, waited := h.waiting[of]; !waited {
		return
	}
	told := len(h.told) > 0
	if h.forget(of); len(h.waiting) == 0 && told {
		h.log.Info("the database takes rows again", "database", h.where, "after", time.Since(h.began).Round(time.Millisecond))
	}
}

// left notes that a partition is somebody else's now.
func (h *health) left(of partition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(of)
}

func (h *health) forget(of partition) {
	delete(h.waiting, of)
	if len(h.waiting) == 0 {
		clear(h.told)
	}
}

// state is what holds partitions up, by kind, and the trouble that most needs a
// person; nil when there is none.
func (h *health) state() (byKind map[Kind]int, worst *Trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	byKind = map[Kind]int{}
	for _, t := range h.waiting {
		byKind[t.Kind]++
		if worst == nil || before(&t, worst) {
			worst = &t
		}
	}
	return byKind, worst
}

// before says whether a needs a person more than b, or as much and longer.
func before(a, b *Trouble) bool {
	_, _, rankA := describe(a.Kind)
	_, _, rankB := describe(b.Kind)
	if rankA != rankB {
		return rankA < rankB
	}
	return a.Since.Before(b.Since)
}
