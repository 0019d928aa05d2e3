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

// Errors of the gateway's own; see [statuses]. None quotes what the client sent.
var (
	errStarting    = errors.New("this process is still starting, see /readyz; send it again after the seconds in Retry-After")
	errCrowd       = errors.New("as many connections are open as this process serves; send it again after the seconds in Retry-After")
	errMalformed   = errors.New("the request cannot be read: its first line, a header or its length is not as HTTP/1.1 has it")
	errEscape      = errors.New("must have two hexadecimal digits after each %")
	errPanic       = errors.New("a request made the gateway panic")
	errNotFollowed = errors.New("this gateway does not follow that coupon: it follows those posted to it within the last minute, at most 10 in one post, while /v1/status/stream is open or somebody has asked for a journey within the minute before")
	errNoRoute     = errors.New("there is no such route")
	errMethod      = errors.New("this route does not take that method; Allow says which it takes")
	errOrigin      = errors.New("pages of other sites may not send requests here: whoever runs this server can allow the page's origin")
	errHost        = errors.New("without a key this server answers to localhost alone: whoever runs it can allow this host, or set TIPOFF_API_KEY")
	errKey         = errors.New("a key is needed: send it as Authorization: Bearer KEY, or as X-API-Key")
	errTooLarge    = fmt.Errorf("the body may have at most %d bytes as sent and %d after gzip", MaxBody, MaxBodyUnpacked)
	errTooMany     = fmt.Errorf("the body may have at most %d items; send the others in further requests", MaxPosted)
	errHeaders     = fmt.Errorf("the headers may have at most %d bytes", maxHeader)
	errSlow        = errors.New("the request took too long to arrive")
	errType        = errors.New("the Content-Type must be application/json")
	errTypes       = errors.New("the Content-Type must be application/json, or application/x-ndjson for one item a line")
	errEncoding    = errors.New("the Content-Encoding must be gzip or none")
)

// Details of errors of the ports, whose own words are for the log.
const (
	detailNotFound    = "nothing is known under this id"
	detailBusy        = "nothing was done: send it again after the seconds in Retry-After"
	detailUnavailable = "a part that this needs does not work, see /readyz; send it again after the seconds in Retry-After"
	detailInternal    = "this should not have happened; the log of the server has it under this response's X-Request-Id"
)

// status is what a kind of error is answered with.
type status struct {
	kind   error
	status int
	title  string
	detail string
}

// statuses is the one table from kinds of error to statuses. An error without a detail
// says itself what to do.
var statuses = []status{
	{tipoff.ErrNotFound, fasthttp.StatusNotFound, "not found", detailNotFound},
	{tipoff.ErrBusy, fasthttp.StatusTooManyRequests, "too much is under way", detailBusy},
	{tipoff.ErrConflict, fasthttp.StatusConflict, "not possible as things are", ""},
	{tipoff.ErrUnavailable, fasthttp.StatusServiceUnavailable, "unavailable", detailUnavailable},
	{errStarting, fasthttp.StatusServiceUnavailable, "unavailable", ""},
	{errCrowd, fasthttp.StatusServiceUnavailable, "too many connections", ""},
	{errNotFollowed, fasthttp.StatusNotFound, "not followed", ""},
	{errEnding, fasthttp.StatusServiceUnavailable, "unavailable", ""},
	{errReaders, fasthttp.StatusServiceUnavailable, "too many streams", ""},
	{errMisdirected, fasthttp.StatusMisdirectedRequest, "misdirected", ""},
	{errNoRoute, fasthttp.StatusNotFound, "no such route", ""},
	{errMethod, fasthttp.StatusMethodNotAllowed, "method not allowed", ""},
	{errMalformed, fasthttp.StatusBadRequest, "malformed request", ""},
	{errOrigin, fasthttp.StatusForbidden, "another site", ""},
	{errHost, fasthttp.StatusForbidden, "another host", ""},
	{errKey, fasthttp.StatusUnauthorized, "no valid key", ""},
	{errTooLarge, fasthttp.StatusRequestEntityTooLarge, "too large", ""},
	{errTooMany, fasthttp.StatusRequestEntityTooLarge, "too many items", ""},
	{errHeaders, fasthttp.StatusRequestHeaderFieldsTooLarge, "headers too large", ""},
	{errSlow, fasthttp.StatusRequestTimeout, "too slow", ""},
	{errType, fasthttp.StatusUnsupportedMediaType, "unsupported media type", ""},
	{errTypes, fasthttp.StatusUnsupportedMediaType, "unsupported media type", ""},
	{errEncoding, fasthttp.StatusUnsupportedMediaType, "unsupported encoding", ""},
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

// kindOf returns what an error is answered with; nil: it is a fault of ours.
func kindOf(err error) *status {
	for i := range statuses {
		if errors.Is(err, statuses[i].kind) {
			return &statuses[i]
		}
	}
	return nil
}

// described returns an error as a problem, whose detail is for the client.
func (q *request) described(err error) problem {
	var faults tipoff.Faults
	var rejected *rejections
	var away *awayError
	p := problem{Type: "about:blank", Title: "invalid request", Status: fasthttp.StatusBadRequest, Detail: seeErrors}
	switch {
	case errors.As(err, &rejected):
		p.Errors, p.RejectedItems, p.MoreFaults = rejected.listed, rejected.items, rejected.more
		return p
	case errors.As(err, &faults):
		p.Errors, p.MoreFaults = faults, faults.Count()-len(faults)
		if q.old {
			p.Detail = faults.Error()
		}
		return p
	}
	if errors.As(err, &away) {
		p.Title, p.Status, p.Detail = "another gateway does not answer", fasthttp.StatusServiceUnavailable, away.Error()
		return p
	}
	var conflict *tipoff.Conflict
	if errors.As(err, &conflict) {
		p.Title, p.Status, p.Detail = "cannot be done", fasthttp.StatusConflict, conflict.Why
		return p
	}
	if s := kindOf(err); s != nil {
		p.Title, p.Status, p.Detail = s.title, s.status, s.detail
		if s.detail == "" {
			p.Detail = s.kind.Error()
		}
		var refusal *tipoff.Refusal
		if errors.As(err, &refusal) {
			p.Detail = refusal.Reason
		}
		if s.kind == errNoRoute && q.server.API != nil && !q.server.HideDocs {
			p.Detail += "; /docs lists them"
		}
		if s.kind == tipoff.ErrUnavailable { // it has a cause
			q.server.Log.Debug("a request fails", "request", q.id(), "error", err)
		}
		return p
	}
	p.Title, p.Status, p.Detail = "internal error", fasthttp.StatusInternalServerError, detailInternal
	q.server.Log.Error("a request fails that should not", "request", q.id(), "error", err)
	return p
}

// fail writes an error as the response: a problem, or on the old routes
// {"error": ...}.
func (q *request) fail(err error) {
	p := q.described(err)
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
	// Names of parameters may have bytes that are not text.
	if err := json.MarshalWrite(q.Response.BodyWriter(), value, jsontext.AllowInvalidUTF8(true)); err != nil {
		q.server.Log.Error("write an error", "request", q.id(), "error", err)
	}
}
