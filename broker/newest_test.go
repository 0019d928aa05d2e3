package broker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"tipoff/topics"
)

// byteValues are values whose first byte is their epoch; 0: they cannot be read.
var byteValues = TableValues{
	Epoch: func(value []byte) uint64 { return uint64(value[0]) },
	Check: func(value []byte) error {
		if len(value) == 0 || value[0] == 0 {
			return errors.New("unreadable")
		}
		return nil
	},
}

// reader applies values as views do.
type reader struct {
	values map[string]string
	stale  map[string]bool // keys whose newest value is a former owner's
	wrong  int             // values that could not be read
}

func newReader() *reader { return &reader{values: map[string]string{}, stale: map[string]bool{}} }

func (r *reader) apply(key string, value []byte, _ time.Time) {
	switch had, known := r.values[key]; {
	case value == nil:
		delete(r.values, key)
		delete(r.stale, key)
	case byteValues.Check(value) != nil:
		r.wrong++
	case known && byteValues.Epoch(value) < byteValues.Epoch([]byte(had)):
		r.stale[key] = true
	default:
		r.values[key] = string(value)
		delete(r.stale, key)
	}
}

// TestNewest_HasTheSameEffect as all that was held, whatever was applied before: late
// values of former owners, deletions and unreadable values among them.
func TestNewest_HasTheSameEffect(t *testing.T) {
	t.Parallel()
	random, fewer := rand.New(rand.NewPCG(1, 2)), 0
	for try := range 3000 {
		all, held := newReader(), newReader()
		n := newNewest[time.Time](byteValues)
		span := func(records int) {
			for i := range records {
				key, value := fmt.Sprint("k", random.IntN(3)), []byte{byte(random.IntN(5)), byte(i)}
				switch random.IntN(12) {
				case 0:
					value = nil
				case 1:
					value = []byte{}
				}
				all.apply(key, value, time.Time{})
				n.add(key, value, time.Time{})
				if value != nil {
					clear(value) // it lay in a fetch buffer
				}
			}
			fewer += records - n.live
			n.apply(held.apply)
		}
		span(random.IntN(6))
		span(random.IntN(40) + try/2990*3000) // some until places are freed
		if !reflect.DeepEqual(all, held) {
			t.Fatalf("try %d: all of them make %v, the newest ones %v", try, all, held)
		}
	}
	if fewer < 10_000 {
		t.Errorf("only %d records were passed over", fewer)
	}
}

// TestNewest_CountsWhatItHolds, and no more.
func TestNewest_CountsWhatItHolds(t *testing.T) {
	t.Parallel()
	n := newNewest[time.Time](byteValues)
	for epoch := range byte(9) {
		n.add("key", []byte{epoch + 1, 0, 0}, time.Time{})
	}
	if n.live != 1 || n.bytes != 6 {
		t.Errorf("holds %d records of %d bytes, want 1 of 6", n.live, n.bytes)
	}
	n.add("key", []byte{1}, time.Time{})
	n.add("key", []byte{2}, time.Time{})
	if n.live != 2 || n.bytes != 6+4 {
		t.Errorf("holds %d records of %d bytes, want 2 of 10: the best, and the last late one", n.live, n.bytes)
	}
	n.add("key", nil, time.Time{})
	if n.live != 1 || n.bytes != 3 {
		t.Errorf("holds %d records of %d bytes, want 1 of 3: the deletion", n.live, n.bytes)
	}
	for i := range maxHeldRecords {
		n.add(fmt.Sprint(i), []byte{1}, time.Time{})
	}
	if !n.full() {
		t.Error("it does not say that it is full")
	}
}

// TestView_HandsOverTheNewestOfWhatLiesBehindIt: of superseded values it says nothing, of
// a former owner's late one it does, and is ready once all is applied.
func TestView_HandsOverTheNewestOfWhatLiesBehindIt(t *testing.T) {
	t.Parallel()
	c := connect(t, Config{Brokers: fake(t).ListenAddrs()})
	p := publisher(t, c, 5*time.Second)
	publish := func(key string, value ...byte) {
		r := topics.Record{Topic: topics.TableBettors, Key: key, Value: value, Received: time.Now()}
		if err := p.Publish(t.Context(), []topics.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range byte(100) {
		publish(fmt.Sprint("default/k", i%4), 5, i)
	}
	publish("default/k3", 4, 1) // a former owner's
	var mu sync.Mutex
	seen, handed := newReader(), 0
	v := c.NewView(topics.TableBettors, byteValues, func(u Update) {
		mu.Lock()
		defer mu.Unlock()
		handed++
		seen.apply(u.Key, u.Value, u.Received)
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = v.Run(ctx) })
	defer running.Wait()
	defer cancel()
	if err := v.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	if seen.values["default/k3"] != "\x05\x63" || !seen.stale["default/k3"] || len(seen.values) != 4 || handed != 5 {
		t.Errorf("%d changes were handed over, want 5; they make %+v", handed, seen)
	}
	mu.Unlock()
	publish("default/k3", 5, 200) // is no longer held
	eventually(t, func() error {
		mu.Lock()
		defer mu.Unlock()
		if seen.values["default/k3"] != "\x05\xc8" || len(seen.stale) != 0 {
			return fmt.Errorf("it has %+v", seen)
		}
		return nil
	})
}
