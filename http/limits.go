package http

import (
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"tipoff"
)

// Bounds of the whole server, so that no client can take its memory or its file
// descriptors from the others.
const (
	// maxUnderWay is how many bytes of bodies, as sent and unpacked, and of responses
	// may be under way at once; with what is made of bodies they take some four times
	// as much memory. Over it, posts and whatever has a long response are answered
	// with 429.
	maxUnderWay = 128 << 20
	// largeBody is from where on a body leaves a quarter of that to smaller ones: a
	// flood of large posts does not stop small ones.
	largeBody = 64 << 10
	// shortAnswer is up to where a response is never refused, as that of a health
	// check or of a problem.
	shortAnswer = 4 << 10
	// maxConnections is how many connections may be open, if the process may have so
	// many files. On further ones only /healthz and /readyz are served, all else is
	// answered with 503.
	maxConnections = 32 << 10
	// spareConnections is how many of those further ones may be open. Beyond them a
	// connection is closed with 503, and nothing is read of it.
	spareConnections = 32
	// otherFiles are left to what is no connection of a client: Kafka, the database,
	// the embedded broker's log.
	otherFiles = 512
)

// connections is how many connections a process may serve that may have so many
// files open; 0: that is not known.
func connections(files uint64) int {
	switch {
	case files == 0 || files >= maxConnections+otherFiles:
		return maxConnections
	case files < 2*otherFiles:
		return int(max(1, files/2))
	}
	return int(files - otherFiles)
}

// underWay counts the bytes of bodies and responses that are under way.
type underWay struct{ bytes atomic.Int64 }

// reserve makes room for more bytes of a body that will have had so many in all;
// false: there is no room.
func (u *underWay) reserve(more, all int64) bool {
	most := int64(maxUnderWay)
	if all > largeBody {
		most -= maxUnderWay / 4
	}
	if u.bytes.Add(more) > most {
		u.bytes.Add(-more)
		return false
	}
	return true
}

// leastRead is how much room there is for a piece of a body at least, in bytes.
const leastRead = 512

// read appends all of a part of the body, of limit bytes at the most, reserving room for
// each piece as it comes. A body that has more than limit is returned cut off after
// limit + 1.
func (q *request) read(to []byte, from io.Reader, limit int) ([]byte, error) {
	for len(to) <= limit {
		to = slices.Grow(to, leastRead)
		n, err := from.Read(to[len(to):min(cap(to), limit+1)])
		if n > 0 && !q.server.underWay.reserve(int64(n), q.reserved+int64(n)) {
			return nil, fmt.Errorf("read the body: %w", tipoff.ErrBusy)
		}
		q.reserved += int64(n)
		to = to[:len(to)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return to, err
		}
	}
	return to, nil
}

// settle gives the room of the body back and takes that of the response, until it is
// sent. A response without room gives way to 429, unless it is short or tells what has
// become of a post.
func (q *request) settle() {
	u := &q.server.underWay
	u.bytes.Add(-q.reserved)
	q.reserved = 0
	size := int64(len(q.Response.Body()))
	if !u.reserve(size, size) {
		if size > shortAnswer && (q.IsGet() || q.IsHead()) {
			q.fail(fmt.Errorf("write the response: %w", tipoff.ErrBusy))
			size = int64(len(q.Response.Body()))
		}
		u.bytes.Add(size)
	}
	if c, ok := q.Conn().(*connection); ok {
		c.answer += size
		return
	}
	u.bytes.Add(-size) // nobody would say when it is sent
}
