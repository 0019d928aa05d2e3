package http

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"tipoff"
)

// notFree says why nothing can listen on an address, and where it can, if it is taken:
// two roles of one machine have the same address unless they are told otherwise.
func notFree(addr string, err error) error {
	host, _, failed := net.SplitHostPort(addr)
	if !errors.Is(err, syscall.EADDRINUSE) || failed != nil {
		return fmt.Errorf("TIPOFF_ADDR: %w", err)
	}
	free, failed := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if failed != nil {
		return fmt.Errorf("TIPOFF_ADDR: %w", err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	return fmt.Errorf("TIPOFF_ADDR: %w, by another role or program; a free one is TIPOFF_ADDR=%s", err, net.JoinHostPort(host, port))
}

// connection is a client's.
type connection struct {
	net.Conn
	server *Server
	spare  bool   // beyond those that are served
	answer int64  // bytes of the response that is being sent; only whoever serves the connection uses it
	leave  func() // of a stream: gives its place to others; nil: it is none
	closed sync.Once
}

// Close closes the connection and makes room for another.
func (c *connection) Close() error {
	c.closed.Do(func() {
		c.server.open.Add(-1)
		if c.leave != nil {
			c.leave()
		}
	})
	return c.Conn.Close()
}

// progress gives the room of a response back once it is sent, or cannot be.
func (s *Server) progress(conn net.Conn, state fasthttp.ConnState) {
	if c, ok := conn.(*connection); ok && (state == fasthttp.StateIdle || state == fasthttp.StateClosed) {
		s.underWay.bytes.Add(-c.answer)
		c.answer = 0
	}
}

// checkCrowd refuses a request on a connection beyond those that are served, unless it
// asks for the process's health.
func (s *Server) checkCrowd(rt route, q *request) error {
	c, ok := q.Conn().(*connection)
	if !ok || !c.spare {
		return nil
	}
	q.SetConnectionClose()
	if rt.path == pathHealth || rt.path == pathReady {
		return nil
	}
	return errCrowd
}

// retryingListener is a listener that counts connections, and outlasts a failure to accept, as
// when the process has no file descriptors left: fasthttp would stop listening for
// ever.
type retryingListener struct {
	net.Listener
	server *Server
	most   int // connections; see [maxConnections]
}

// acceptPause is the time between attempts to accept.
const acceptPause = 100 * time.Millisecond

func (e *retryingListener) Accept() (net.Conn, error) {
	for failed := false; ; {
		conn, err := e.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil, err
		case err != nil:
			if !failed {
				e.server.Log.Error("no connection can be accepted, trying again", "error", err)
			}
			failed = true
			time.Sleep(acceptPause)
			continue
		}
		open := int(e.server.open.Add(1))
		c := &connection{Conn: conn, server: e.server, spare: open > e.most}
		if open <= e.most+spareConnections {
			return c, nil
		}
		e.server.metrics.unread(fasthttp.StatusServiceUnavailable)
		_ = c.SetWriteDeadline(time.Now().Add(acceptPause))
		_, _ = c.Write(crowded())
		_ = c.Close()
	}
}

// crowded is the response on a connection of which nothing is read.
var crowded = sync.OnceValue(func() []byte {
	s := kindOf(errCrowd)
	body, err := json.Marshal(problem{Type: "about:blank", Title: s.title, Status: s.status, Detail: errCrowd.Error()})
	if err != nil {
		panic(err) // it is always the same
	}
	head := []string{
		"HTTP/1.1 503 Service Unavailable", "Server: tipoff", "Connection: close", "Content-Type: application/problem+json",
		fmt.Sprint("Content-Length: ", len(body)), "Retry-After: " + strconv.Itoa(int(tipoff.RetryAfter/time.Second)),
		"X-Content-Type-Options: nosniff", "Cache-Control: no-store",
	}
	return []byte(strings.Join(head, "\r\n") + "\r\n\r\n" + string(body))
})
