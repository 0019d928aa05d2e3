package http

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"

	"tipoff"
	"tipoff/topics"
)

// The routes of v1 that take facts: one object, an array, or one object a line.

// posted is the response to a post. Accepted and rejected items are all that were
// posted.
type posted struct {
	Accepted      int            `json:"accepted"`
	RejectedItems int            `json:"rejected_items"`
	Rejected      []tipoff.Fault `json:"rejected"`             // see [rejections]
	MoreFaults    int            `json:"more_faults,omitzero"` // that are not listed
}

// maxListed is how many faults a response lists.
const maxListed = 100

// rejections are the faulty items of one post, as an error: the first faults of the
// first of them, and how many items and faults there are besides.
type rejections struct {
	items  int            // with faults
	listed []tipoff.Fault // in the order of the items, [maxListed] at the most
	more   int            // faults that are not listed
}

func (r *rejections) Error() string {
	return fmt.Sprintf("%d items have %d faults", r.items, len(r.listed)+r.more)
}

// add adds the faults of one item, whose id is given if it could be read.
func (r *rejections) add(index int, id string, faults tipoff.Faults) {
	r.items++
	if tipoff.CheckID(id) != nil {
		id = ""
	}
	listed := min(len(faults), maxListed-len(r.listed))
	left := faults.Count() - listed
	r.more += left
	for i, fault := range faults[:listed] {
		fault.Index, fault.ID, fault.More = index, id, 0
		if i == listed-1 {
			fault.More = left
		}
		r.listed = append(r.listed, fault)
	}
}

// post returns the handler of a route that takes facts of a kind: it publishes the
// good items of a body and names the faults of the others.
func (s *Server) post(kind tipoff.Kind) handler {
	return func(q *request, api *API) error {
		body, lines, err := q.body()
		if err != nil {
			return err
		}
		if q.items, err = split(q.items, body, lines); err != nil {
			return err
		}
		followed := s.follow(q, api, len(q.items))
		rejected := q.decode(kind, api.Recommender, followed)
		if len(q.records) == 0 {
			return rejected
		}
		followed.posted()
		if err := api.Publisher.Publish(q.context(), q.records); err != nil {
			return err
		}
		followed.published()
		if rejected != nil {
			return q.writeJSON(fasthttp.StatusMultiStatus, posted{len(q.records), rejected.items, rejected.listed, rejected.more})
		}
		q.writeAccepted(len(q.records))
		return nil
	}
}

// writeAccepted writes [posted] where all items were accepted.
func (q *request) writeAccepted(items int) {
	q.SetStatusCode(fasthttp.StatusAccepted)
	q.writeJoined(func(to []byte) []byte {
		to = strconv.AppendInt(append(to, `{"accepted":`...), int64(items), 10)
		return append(to, `,"rejected_items":0,"rejected":[]}`...)
	})
}

// decode makes the records of the good items, and returns what is wrong with the others; nil:
// there are none. The good ones that are coupons are followed, if any are.
func (q *request) decode(kind tipoff.Kind, r Recommender, followed *following) (rejected *rejections) {
	how := tipoff.Reading{Now: q.server.Now(), Strict: true}
	q.records = slices.Grow(q.records, len(q.items))
	for i, item := range q.items {
		fact, err := tipoff.DecodeFact(kind, item, how)
		if err != nil {
			if rejected == nil {
				rejected = new(rejections)
			}
			var faults tipoff.Faults
			_ = errors.As(err, &faults) // it is nothing else
			rejected.add(i, fact.ID(), faults)
			continue
		}
		fact.At = how.Now
		q.records = append(q.records, recordOf(q.company(), fact, r))
		followed.add(fact.Coupon)
	}
	return rejected
}

// recordOf is a fact's record, with what is known of a coupon's events, so that its bettor
// learns without asking.
func recordOf(company string, fact tipoff.Fact, r Recommender) topics.Record {
	record := topics.FactRecord(company, fact)
	if fact.Coupon != nil {
		record.Events = r.Known(company, fact.Coupon)
	}
	return record
}

// split takes a body apart into its items, which are parts of it, each still to be decoded,
// and appends them.
func split(items [][]byte, body []byte, lines bool) (all [][]byte, err error) {
	switch {
	case lines:
		for line := range bytes.Lines(body) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				items = append(items, line)
			}
		}
	default:
		if items, err = splitJSON(items, body); err != nil {
			return nil, err
		}
	}
	switch {
	case len(items) == 0:
		return nil, tipoff.Faults{{Message: fmt.Sprintf("must have 1 to %d items, has 0", MaxPosted)}}
	case len(items) > MaxPosted:
		return nil, errTooMany
	}
	return items, nil
}

// splitJSON appends an array's elements, or one object.
func splitJSON(items [][]byte, body []byte) ([][]byte, error) {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '[' {
		if len(trimmed) == 0 {
			return items, nil
		}
		return append(items, body), nil
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	if _, err := d.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	for d.PeekKind() != ']' {
		item, err := d.ReadValue()
		if err != nil {
			return nil, notJSON(err)
		}
		end := int(d.InputOffset())
		if items = append(items, body[end-len(item):end]); len(items) > MaxPosted {
			return nil, errTooMany
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, tipoff.Faults{{Message: "is not valid JSON: something follows the array; one item a line needs Content-Type application/x-ndjson"}}
	}
	return items, nil
}

func notJSON(err error) error { return tipoff.Faults{{Message: tipoff.NotJSON(err)}} }
