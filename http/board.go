package http

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// counter counts requests.
type counter = atomic.Int64

// Bounds of the board.
const (
	statusEvery = time.Second
	// statusKept is for how long after the last question a status is taken, so that
	// who asks now and then has rates.
	statusKept = 10 * time.Second
	// maxReaders is how many streams may be open.
	maxReaders = 64
)

var (
	errSlowPart = errors.New("a part does not say how it is")
	errEnding   = errors.New("this process is about to end; ask again after the seconds in Retry-After")
	errReaders  = errors.New("as many streams are open as this process serves, 64; close one, or try again after the seconds in Retry-After")
)

// board has the newest status of the process. One goroutine takes it, once a second and
// only while somebody asks or has a stream open, for all of them.
type board struct {
	take func(*taken) ([]byte, error)
	log  *slog.Logger

	mu      sync.Mutex
	asked   time.Time // last, without a stream
	text    []byte    // the newest status; nil: none is being taken
	first   chan struct{}
	readers map[*reader]struct{}
	running bool
	closed  bool
	end     chan struct{}
	going   sync.WaitGroup // the goroutine, and each reader
}

func newBoard(take func(*taken) ([]byte, error), log *slog.Logger) *board {
	return &board{take: take, log: log, readers: map[*reader]struct{}{}, end: make(chan struct{})}
}

// newest returns the status, which nobody may change.
func (b *board) newest(patience time.Duration) ([]byte, error) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil, errEnding
	}
	b.asked = time.Now()
	b.wake()
	text, first := b.text, b.first
	b.mu.Unlock()
	if text != nil {
		return text, nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-first:
	case <-b.end:
		return nil, errEnding
	case <-timer.C:
		return nil, errNoStatus
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.text == nil {
		return nil, errNoStatus
	}
	return b.text, nil
}

// wake starts the goroutine where it has ended. b.mu is held.
func (b *board) wake() {
	if b.running {
		return
	}
	b.running, b.first = true, make(chan struct{})
	b.going.Go(b.run)
}

func (b *board) run() {
	ticker := time.NewTicker(statusEvery)
	defer ticker.Stop()
	before := taken{}
	for {
		text, err := b.take(&before)
		if err != nil {
			b.log.Error("the status cannot be written", "error", err)
		}
		if !b.show(text) {
			return
		}
		select {
		case <-ticker.C:
		case <-b.end:
			return
		}
	}
}

// show hands a status to all who wait for one. It returns false where nobody has asked
// for a while: then nothing is kept.
func (b *board) show(text []byte) (wanted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.readers) == 0 && time.Since(b.asked) > statusKept {
		b.running, b.text = false, nil
		return false
	}
	if b.text = text; text == nil {
		return true
	}
	select {
	case <-b.first:
	default:
		close(b.first)
	}
	page := pageOf(text)
	for r := range b.readers {
		r.give(page)
	}
	return true
}

// watched says whether a stream is open.
func (b *board) watched() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.readers) > 0
}

// join adds a reader, which must leave.
func (b *board) join() (*reader, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return nil, errEnding
	case len(b.readers) >= maxReaders:
		return nil, errReaders
	}
	r := &reader{pages: make(chan []byte, 1), ended: make(chan struct{})}
	b.readers[r] = struct{}{}
	b.going.Add(1)
	if b.text != nil {
		r.give(pageOf(b.text))
	}
	b.wake()
	return r, nil
}

// leave gives the place of a reader to others.
func (b *board) leave(r *reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, there := b.readers[r]; there {
		delete(b.readers, r)
		b.going.Done()
	}
}

// close ends all streams, and waits for that until ctx ends.
func (b *board) close(ctx context.Context) error {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		close(b.end)
		for r := range b.readers {
			r.finish()
		}
	}
	b.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.going.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reader is one who has a stream open. One who is slow misses pages: only the newest
// waits for him.
type reader struct {
	pages chan []byte
	ended chan struct{} // closed when the process ends

	mu   sync.Mutex
	over bool
	conn net.Conn // nil: not known yet
}

// give replaces the page that waits. The board calls it, from one goroutine at a time.
func (r *reader) give(page []byte) {
	select {
	case <-r.pages:
	default:
	}
	select {
	case r.pages <- page:
	default:
	}
}

// write sends bytes, unless the process ends, to one who takes some within patience.
func (r *reader) write(conn net.Conn, page []byte, patience time.Duration) error {
	r.mu.Lock()
	if r.over {
		r.mu.Unlock()
		return net.ErrClosed
	}
	r.conn = conn
	err := conn.SetWriteDeadline(time.Now().Add(patience))
	r.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = conn.Write(page)
	return err
}

// finish ends the stream, also of one who takes nothing.
func (r *reader) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	r.over = true
	close(r.ended)
	if r.conn != nil {
		_ = r.conn.SetWriteDeadline(time.Now().Add(lastWrite))
	}
}
