package http

import "tipoff/trace"

// span starts the span of a request that is let in, if it is to be traced. Those of whoever
// runs the process are not, nor the pages that anybody may read.
func (s *Server) span(rt route, q *request) *trace.Span {
	if s.Tracer == nil || rt.open || rt.path == pathMetrics || rt.path == pathStream {
		return nil
	}
	parent := q.Request.Header.Peek(trace.Header)
	if len(parent) == 0 && s.fleet != nil && len(q.Request.Header.Peek(headerForwarded)) > 0 {
		return nil // the gateway that it came to first has decided
	}
	return s.Tracer.Request(rt.method, rt.path, parent)
}
