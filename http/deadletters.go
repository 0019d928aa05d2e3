package http

import (
	"github.com/valyala/fasthttp"

	"tipoff"
)

// listRejected serves a page of the asker's dead letters, the newest first.
func (s *Server) listRejected(q *request, api *API) error {
	p := q.parameters()
	f := tipoff.DeadLetterFilter{
		Reason: p.text("reason", tipoff.MaxID),
		Cursor: p.text("cursor", maxCursor),
		N:      p.integer("n", 1, tipoff.MaxDeadLetters, tipoff.DefaultDeadLetters),
	}
	if err := p.end(); err != nil {
		return err
	}
	if api.DeadLetters == nil {
		return tipoff.ErrUnavailable
	}
	page, err := api.DeadLetters.DeadLetters(q.context(), q.company(), f)
	if err != nil {
		return err
	}
	return q.writeJSON(fasthttp.StatusOK, page)
}

// sentAgain is the response to a retry.
type sentAgain struct {
	ID    string `json:"id"`
	Topic string `json:"topic"`
}

// retryRejected publishes one of the asker's dead letters again.
func (s *Server) retryRejected(q *request, api *API) error {
	id, err := q.onlyValue("id")
	if err != nil {
		return err
	}
	if api.DeadLetters == nil {
		return tipoff.ErrUnavailable
	}
	topic, err := api.DeadLetters.Retry(q.context(), q.company(), id)
	if err != nil {
		return err
	}
	return q.writeJSON(fasthttp.StatusAccepted, sentAgain{id, topic})
}
