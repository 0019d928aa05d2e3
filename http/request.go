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
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
	"github.com/valyala/fasthttp"

	"tipoff"
)

// request is one request under way.
type request struct {
	*fasthttp.RequestCtx
	server   *Server
	old      bool  // answers in the manner of the old service
	reserved int64 // bytes of the body that count as under way
}

// company is whose data the request is about.
func (q *request) company() string { return tipoff.DefaultCompany }

const headerID = "X-Request-Id"

// identify echoes the client's request id, or creates one.
func (q *request) identify() {
	id := q.Request.Header.Peek(headerID)
	if len(id) == 0 || len(id) > 100 {
		id = strconv.AppendUint(nil, rand.Uint64(), 36)
	}
	q.Response.Header.SetBytesV(headerID, id)
}

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
// requests under way are still answered then: each port bounds its own time.
func (q *request) context() context.Context { return context.Background() }

// object is the body of a route that takes one object.
func (q *request) object() ([]byte, error) {
	body, lines, err := q.body()
	if err == nil && lines {
		err = errType
	}
	return body, err
}

// Errors of the gateway's own; see [statuses].
var (
	errNoRoute  = errors.New("there is no such route; /docs lists them")
	errMethod   = errors.New("this route does not take that method; /docs lists them")
	errKey      = errors.New("a key is needed: send it as Authorization: Bearer KEY, or as X-API-Key")
	errTooLarge = fmt.Errorf("the body may have at most %d bytes as sent and %d after gzip", MaxBody, MaxBodyUnpacked)
	errTooMany  = fmt.Errorf("the body may have at most %d items; send the others in further requests", MaxPosted)
	errHeaders  = fmt.Errorf("the headers may have at most %d bytes", maxHeader)
	errSlow     = errors.New("the request took too long to arrive")
	errType     = errors.New("the Content-Type must be application/json")
	errTypes    = errors.New("the Content-Type must be application/json, or application/x-ndjson for one item a line")
	errEncoding = errors.New("the Content-Encoding must be gzip or none")
)

// statuses is the one table from kinds of error to statuses.
var statuses = []struct {
	kind   error
	status int
	title  string
}{
	{tipoff.ErrNotFound, fasthttp.StatusNotFound, "not found"},
	{tipoff.ErrBusy, fasthttp.StatusTooManyRequests, "too much is under way"},
	{tipoff.ErrUnavailable, fasthttp.StatusServiceUnavailable, "unavailable"},
	{errNoRoute, fasthttp.StatusNotFound, "no such route"},
	{errMethod, fasthttp.StatusMethodNotAllowed, "method not allowed"},
	{errKey, fasthttp.StatusUnauthorized, "no valid key"},
	{errTooLarge, fasthttp.StatusRequestEntityTooLarge, "too large"},
	{errTooMany, fasthttp.StatusRequestEntityTooLarge, "too many items"},
	{errHeaders, fasthttp.StatusRequestHeaderFieldsTooLarge, "headers too large"},
	{errSlow, fasthttp.StatusRequestTimeout, "too slow"},
	{errType, fasthttp.StatusUnsupportedMediaType, "unsupported media type"},
	{errTypes, fasthttp.StatusUnsupportedMediaType, "unsupported media type"},
	{errEncoding, fasthttp.StatusUnsupportedMediaType, "unsupported encoding"},
}

// problem is an error as RFC 9457 describes it.
type problem struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Errors []tipoff.Fault `json:"errors,omitempty"`
}

// fail writes an error as the response: a problem, or on the old routes
// {"error": ...}.
func (q *request) fail(err error) {
	p := problem{Type: "about:blank", Title: "internal error", Status: fasthttp.StatusInternalServerError, Detail: err.Error()}
	var faults tipoff.Faults
	if errors.As(err, &faults) {
		p.Title, p.Status, p.Errors = "invalid request", fasthttp.StatusBadRequest, faults
	}
	for _, s := range statuses {
		if errors.Is(err, s.kind) {
			p.Title, p.Status = s.title, s.status
			break
		}
	}
	q.Response.ResetBody()
	q.Response.Header.Del("Content-Encoding")
	q.SetStatusCode(p.Status)
	switch p.Status {
	case fasthttp.StatusServiceUnavailable, fasthttp.StatusTooManyRequests:
		q.Response.Header.Set("Retry-After", strconv.Itoa(int(tipoff.RetryAfter/time.Second)))
	case fasthttp.StatusUnauthorized:
		q.Response.Header.Set("WWW-Authenticate", "Bearer")
	}
	var value any = p
	if q.old {
		value = map[string]string{"error": p.Detail}
		q.SetContentType("application/json")
	} else {
		q.SetContentType("application/problem+json")
	}
	// What is wrong may quote bytes that are not text.
	if err := json.MarshalWrite(q.Response.BodyWriter(), value, jsontext.AllowInvalidUTF8(true)); err != nil {
		q.server.Log.Error("write an error", "error", err)
	}
}

// body is the request's body, unpacked. lines says that the client sends NDJSON.
func (q *request) body() (body []byte, lines bool, err error) {
	kind, _, _ := strings.Cut(string(q.Request.Header.ContentType()), ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "", "application/json":
	case "application/x-ndjson", "application/ndjson", "application/jsonl":
		lines = true
	default:
		if q.old {
			return nil, false, errType
		}
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

// received is the body as it was sent.
func (q *request) received() ([]byte, error) {
	stream := q.RequestBodyStream()
	if stream == nil {
		return nil, nil
	}
	body, err := q.read(stream, MaxBody)
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
		return nil, tipoff.Faults{{Message: "the body cannot be read: " + err.Error()}}
	}
	return body, nil
}

func (q *request) unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, tipoff.Faults{{Message: "the body is not gzip"}}
	}
	body, err := q.read(r, MaxBodyUnpacked)
	switch {
	case errors.Is(err, tipoff.ErrBusy):
		return nil, err
	case len(body) > MaxBodyUnpacked:
		return nil, errTooLarge
	case err != nil:
		return nil, tipoff.Faults{{Message: "the body is not gzip: " + err.Error()}}
	}
	return body, nil
}

// pathValue is a part of the path, decoded, that is a public id.
func (q *request) pathValue(name string) (string, error) {
	raw, _ := q.UserValue(name).(string)
	id, err := url.PathUnescape(raw)
	if err == nil {
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
