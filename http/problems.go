package http

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"

	"tipoff"
)

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
	Detail string         `json:"detail"` // does not repeat the errors
	Errors []tipoff.Fault `json:"errors,omitempty"`

	RejectedItems int `json:"rejected_items,omitzero"` // of a post, of which none was taken
	MoreFaults    int `json:"more_faults,omitzero"`    // that are not among the errors
}

// seeErrors is the detail of a problem that has its faults listed.
const seeErrors = "errors lists what is wrong: for each fault the field, and what it must be"

// fail writes an error as the response: a problem, or on the old routes
// {"error": ...}.
func (q *request) fail(err error) {
	p := problem{Type: "about:blank", Title: "internal error", Status: fasthttp.StatusInternalServerError, Detail: err.Error()}
	var faults tipoff.Faults
	var rejected *rejections
	switch {
	case errors.As(err, &rejected):
		p.Errors, p.RejectedItems, p.MoreFaults = rejected.listed, rejected.items, rejected.more
	case errors.As(err, &faults):
		p.Errors, p.MoreFaults = faults, faults.Count()-len(faults)
	}
	if len(p.Errors) > 0 {
		p.Title, p.Status = "invalid request", fasthttp.StatusBadRequest
		if !q.old {
			p.Detail = seeErrors
		}
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
