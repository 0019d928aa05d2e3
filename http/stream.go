package http

import (
	"bytes"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
const (
	heartbeatEvery = 15 * time.Second // so that proxies see that the stream lives
	readerPatience = 10 * time.Second // for one write: who takes nothing for so long has gone
	lastWrite      = 100 * time.Millisecond
	streamsEnd     = 300 * time.Millisecond // of all, with the last write of each
	streamBuffer   = 32 << 10               // bytes that the operating system may keep of what was sent
)

var heartbeat = []byte(": still here\n\n")

// pageOf returns a status as an event of the stream.
func pageOf(text []byte) []byte {
	page := make([]byte, 0, len(text)+len("event: status\ndata: \n\n"))
	page = append(append(page, "event: status\ndata: "...), text...)
	return append(page, "\n\n"...)
}

// statusStream sends the status once a second for as long as the client and the process
// live. The connection is taken from fasthttp, which bounds how long a response may take
// and waits at its end for those under way.
func (s *Server) statusStream(q *request) error {
	if err := q.parameters().end(); err != nil {
		return err
	}
	q.SetContentType("text/event-stream")
	c, ok := q.Conn().(*connection)
	if q.IsHead() || !ok { // of a test that has no connection
		return nil
	}
	r, err := s.board.join()
	if err != nil {
		return err
	}
	c.leave = func() { s.board.leave(r) }
	header := &q.Response.Header
	header.SetStatusCode(fasthttp.StatusOK)
	header.SetContentLength(-2) // until the connection ends
	header.Set("X-Accel-Buffering", "no")
	head := bytes.Clone(header.Header())
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(streamBuffer)
	}
	q.HijackSetNoResponse(true)
	q.Hijack(func(conn net.Conn) { r.stream(conn, head) })
	return nil
}

// stream writes pages until the client goes or the process ends.
func (r *reader) stream(conn net.Conn, head []byte) {
	ticker := time.NewTicker(heartbeatEvery)
	defer ticker.Stop()
	next := head
	for {
		if err := r.write(conn, next, readerPatience); err != nil {
			return
		}
		select {
		case next = <-r.pages:
		case <-ticker.C:
			next = heartbeat
		case <-r.ended:
			return
		}
	}
}
