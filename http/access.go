package http

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// routeUnread stands for the route of a request that could not be read.
const routeUnread = "unread"

// logAccess writes a line about a request that has its response. It tells the route
// and not the path, which names users, and nothing else that the client chose but the
// ids of request and trace.
func (s *Server) logAccess(method, route string, q *request, took time.Duration) {
	if s.AccessLog == nil {
		return
	}
	attributes := []slog.Attr{
		slog.String("request", q.id()),
		slog.String("method", cmp.Or(method, "other")),
		slog.String("route", route),
		slog.Int("status", q.Response.StatusCode()),
		slog.Int64("took_us", took.Microseconds()),
		slog.Int("received", max(0, q.Request.Header.ContentLength())),
		slog.Int("sent", len(q.Response.Body())),
		slog.String("client", q.RemoteAddr().String()),
	}
	if q.span != nil {
		attributes = append(attributes, slog.String("trace", q.span.TraceID()))
	}
	s.AccessLog.LogAttrs(context.Background(), slog.LevelInfo, "request", attributes...)
}

// expect decides about a client that asks whether to send its body: one that is too
// large need not travel.
func (s *Server) expect(ctx *fasthttp.RequestCtx) int {
	if ctx.Request.Header.ContentLength() <= MaxBody {
		return fasthttp.StatusContinue
	}
	s.refuse(ctx, fasthttp.ErrBodyTooLarge)
	return ctx.Response.StatusCode()
}

// refuse answers a request that could not even be read. Its route is mostly not
// known then: the answer is a problem.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, err error) {
	path := string(ctx.Path())
	q := s.newRequest(ctx, path != "/" && !strings.HasPrefix(path, "/v1/"))
	defer q.release()
	var small *fasthttp.ErrSmallBuffer
	var timeout net.Error
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		err = errTooLarge
	case errors.As(err, &small):
		err = errHeaders
	case errors.As(err, &timeout) && timeout.Timeout():
		err = errSlow
	default:
		err = errMalformed
	}
	q.fail(err)
	q.settle()
	s.metrics.unread(ctx.Response.StatusCode())
	s.logAccess("", routeUnread, q, 0)
	ctx.SetConnectionClose()
}
