package http

import (
	"github.com/valyala/fasthttp"
)

// explain serves GET /v1/explanations.
func (s *Server) explain(q *request, api *API) error {
	p := q.parameters()
	event, query := p.id("event_id"), s.query(q, p)
	if err := p.end(); err != nil {
		return err
	}
	if done, err := s.forward(q, query.UserID); done {
		return err
	}
	e, err := api.Recommender.Explain(q.company(), event, query, s.Now())
	if err != nil {
		return err
	}
	return q.writeJSON(fasthttp.StatusOK, e)
}
