package http

import (
	"github.com/valyala/fasthttp"

	"tipoff"
	"tipoff/topics"
)

// patchEvent changes an event that is posted already, or will be.
func (s *Server) patchEvent(q *request, api *API) error {
	id, err := q.pathValue("event_id")
	if err != nil {
		return err
	}
	body, err := q.object()
	if err != nil {
		return err
	}
	patch, err := tipoff.DecodeEventPatch(body, id, tipoff.Reading{Now: s.Now(), Strict: true})
	if err != nil {
		return err
	}
	if err := api.Publisher.Publish(q.context(), []topics.Record{topics.PatchRecord(q.company(), patch, s.Now())}); err != nil {
		return err
	}
	return q.writeJSON(fasthttp.StatusAccepted, posted{Accepted: 1, Rejected: tipoff.Faults{}})
}

// getEvent serves an event from memory, and one that memory has forgotten from the
// archive.
func (s *Server) getEvent(q *request, api *API) error {
	id, err := q.onlyValue("event_id")
	if err != nil {
		return err
	}
	event, known := api.Recommender.Event(q.company(), id)
	if !known {
		if event, err = api.Archive.Event(q.context(), q.company(), id); err != nil {
			return err
		}
	}
	return q.writeJSON(fasthttp.StatusOK, event)
}

// statusAny asks for events of every status.
const statusAny = "any"

// page is one page of a list.
type page struct {
	Events  []tipoff.Event  `json:"events,omitzero"`
	Coupons []tipoff.Coupon `json:"coupons,omitzero"`
	Cursor  string          `json:"cursor,omitempty"` // of the next page; absent: this is the last
}

// listEvents serves the open events from memory, others from the archive.
func (s *Server) listEvents(q *request, api *API) error {
	p := q.parameters()
	f := tipoff.EventFilter{
		Sport:  p.text("sport", tipoff.MaxID),
		League: p.text("league", tipoff.MaxID),
		From:   p.time("from"),
		Until:  p.time("until"),
		Status: p.oneOf("status", tipoff.StatusOpen, tipoff.StatusOpen, tipoff.StatusSuspended, tipoff.StatusCancelled, tipoff.StatusFinished, statusAny),
		Cursor: p.text("cursor", maxCursor),
		N:      p.integer("n", 1, tipoff.MaxPerPage, tipoff.DefaultPerPage),
	}
	if err := p.end(); err != nil {
		return err
	}
	var answer page
	var err error
	if f.Status == tipoff.StatusOpen {
		answer.Events, answer.Cursor, err = api.Recommender.OpenEvents(q.company(), f, s.Now())
	} else {
		if f.Status == statusAny {
			f.Status = ""
		}
		answer.Events, answer.Cursor, err = api.Archive.Events(q.context(), q.company(), f)
	}
	if err != nil {
		return err
	}
	return q.writeJSON(fasthttp.StatusOK, answer)
}

// maxCursor bounds a cursor, in characters.
const maxCursor = 400
