package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/gzip"
	"github.com/valyala/fasthttp"

	"tipoff"
	"tipoff/topics"
	"tipoff/trace"
)

// request is one request under way.
type request struct {
	*fasthttp.RequestCtx
	server   *Server
	old      bool  // answers in the manner of the old service
	reserved int64 // bytes of the body that count as under way
	query    parameters
	buffer   *[]byte         // the body as it was sent, until the request is answered; nil: none was read
	items    [][]byte        // of a post, parts of its body
	records  []topics.Record // of a post
	span     *trace.Span     // nil: the request is not traced
}

// requests are used again, each by one request at a time.
var requests = sync.Pool{New: func() any { return new(request) }}

// newRequest returns a request; release gives it back.
func (s *Server) newRequest(ctx *fasthttp.RequestCtx, old bool) *request {
	q := requests.Get().(*request)
	q.RequestCtx, q.server, q.old = ctx, s, old
	q.begin()
	return q
}

func (q *request) release() {
	if q.buffer != nil && cap(*q.buffer) <= keptBody {
		bodies.Put(q.buffer)
	}
	clear(q.query.given)
	*q = request{query: parameters{given: q.query.given[:0]}, items: emptied(q.items), records: emptied(q.records)}
	requests.Put(q)
}

// keptItems is how many items a list has at most that is used again.
const keptItems = 16

// emptied is a list to be used again; nil: it is too long to be kept.
func emptied[T any](list []T) []T {
	if cap(list) > keptItems {
		return nil
	}
	clear(list)
	return list[:0]
}

// company is whose data the request is about.
func (q *request) company() string { return tipoff.DefaultCompany }

const (
	headerID = "X-Request-Id"
	maxID    = 64 // bytes of a client's request id
)

// Headers of every response, as the library takes them without work on each.
var (
	headerSniff, sniffNot = []byte("X-Content-Type-Options"), []byte("nosniff")
	headerCache, cacheNot = []byte("Cache-Control"), []byte("no-store")
)

// begin sets the headers that every response has: the client's request id, or one that
// is made, and what keeps others from reading the response as something else, or later.
func (q *request) begin() {
	id := q.Request.Header.Peek(headerID)
	if !isRequestID(id) {
		var made [16]byte
		id = strconv.AppendUint(made[:0], rand.Uint64(), 36)
	}
	header := &q.Response.Header
	header.SetBytesV(headerID, id)
	header.SetCanonical(headerSniff, sniffNot)
	header.SetCanonical(headerCache, cacheNot)
}

// isRequestID says whether a client's request id can stand in a header and a log.
func isRequestID(id []byte) bool {
	for _, c := range id {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return len(id) > 0 && len(id) <= maxID
}

// id is the request's, as the response has it.
func (q *request) id() string { return string(q.Response.Header.Peek(headerID)) }

// writeJSON writes a value as the JSON of the response.
func (q *request) writeJSON(status int, value any) error {
	q.SetStatusCode(status)
	q.SetContentType("application/json")
	if err := json.MarshalWrite(q.Response.BodyWriter(), value); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// context is for what a request waits for. It does not end with the server, as
// requests under way are still answered then: each port bounds its own time. What a port
// does belongs to the request's span.
func (q *request) context() context.Context { return q.span.Context() }

// object is the body of a route that takes one object.
func (q *request) object() ([]byte, error) {
	body, lines, err := q.body()
	if err == nil && lines {
		err = errType
	}
	return body, err
}

// body is the request's body, unpacked. It is valid until the request is answered: what is
// kept of it must be copied. lines says that the client sends NDJSON. Only
// the old routes do without a type: a browser sends JSON to another site only if that
// agrees, but a body without a type it sends.
func (q *request) body() (body []byte, lines bool, err error) {
	kind, _, _ := strings.Cut(string(q.Request.Header.ContentType()), ";")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); {
	case kind == "application/json", kind == "" && q.old:
	case kind == "application/x-ndjson", kind == "application/ndjson", kind == "application/jsonl":
		lines = true
	case q.old:
		return nil, false, errType
	default:
		return nil, false, errTypes
	}
	if body, err = q.received(); err != nil {
		return nil, false, err
	}
	switch encoding := string(q.Request.Header.ContentEncoding()); strings.ToLower(encoding) {
	case "", "identity":
	case "gzip":
		if body, err = q.unpack(body); err != nil {
			return nil, false, err
		}
	default:
		return nil, false, errEncoding
	}
	return body, lines, nil
}

// maxDrained bounds what is read and thrown away of a body that is too large, so
// that its sender, who is still sending, gets the answer and not a broken
// connection.
const maxDrained = 64 << 20

// bodies are where bodies are read to.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// keptBody is the largest of them that is used again, in bytes: a post of 500 coupons fits.
const keptBody = 256 << 10

// received is the body as it was sent.
func (q *request) received() ([]byte, error) {
	stream := q.RequestBodyStream()
	if stream == nil {
		return nil, nil
	}
	q.buffer = bodies.Get().(*[]byte)
	body, err := q.read((*q.buffer)[:0], stream, MaxBody)
	*q.buffer = body
	switch {
	case errors.Is(err, tipoff.ErrBusy):
		_, _ = io.CopyN(io.Discard, stream, MaxBody)
		q.SetConnectionClose()
		return nil, err
	case len(body) > MaxBody:
		_, _ = io.CopyN(io.Discard, stream, maxDrained)
		q.SetConnectionClose()
		return nil, errTooLarge
	case err != nil:
		q.SetConnectionClose()
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return nil, errSlow
		}
		return nil, tipoff.Faults{{Message: "the body cannot be read: it is cut off, or its chunks are malformed"}}
	}
	return body, nil
}

func (q *request) unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, tipoff.Faults{{Message: "the body is not gzip"}}
	}
	body, err := q.read(nil, r, MaxBodyUnpacked)
	switch {
	case errors.Is(err, tipoff.ErrBusy):
		return nil, err
	case len(body) > MaxBodyUnpacked:
		return nil, errTooLarge
	case err != nil:
		return nil, tipoff.Faults{{Message: "the body is not gzip: it is cut off or malformed"}}
	}
	return body, nil
}

// pathValue is a part of the path, decoded, that is a public id.
func (q *request) pathValue(name string) (string, error) {
	raw, _ := q.UserValue(name).(string)
	id, err := url.PathUnescape(raw)
	if err != nil {
		err = errEscape
	} else {
		err = tipoff.CheckID(id)
	}
	if err != nil {
		return "", tipoff.Faults{{Field: name, Message: err.Error()}}
	}
	return id, nil
}

// onlyValue is [request.pathValue] on a route that takes no parameters.
func (q *request) onlyValue(name string) (string, error) {
	id, err := q.pathValue(name)
	if err == nil {
		err = q.parameters().end()
	}
	return id, err
}
