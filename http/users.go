package http

import (
	"github.com/valyala/fasthttp"

	"tipoff"
)

// getUser serves the profile as it was posted last.
func (s *Server) getUser(q *request, api *API) error {
	id, err := q.onlyValue("user_id")
	if err != nil {
		return err
	}
	if done, err := s.forward(q, id); done {
		return err
	}
	user, known := api.Recommender.User(q.company(), id)
	if !known {
		return tipoff.ErrNotFound
	}
	return q.writeJSON(fasthttp.StatusOK, user)
}

// getAffinities serves what was learnt of a user, posted or not.
func (s *Server) getAffinities(q *request, api *API) error {
	id, err := q.onlyValue("user_id")
	if err != nil {
		return err
	}
	if done, err := s.forward(q, id); done {
		return err
	}
	affinities, known := api.Recommender.Affinities(q.company(), id, s.Now())
	if !known {
		return tipoff.ErrNotFound
	}
	return q.writeJSON(fasthttp.StatusOK, affinities)
}

// getCoupons serves a page of a user's bets from the archive, the newest first. Every
// gateway has the same archive.
func (s *Server) getCoupons(q *request, api *API) error {
	id, err := q.pathValue("user_id")
	if err != nil {
		return err
	}
	p := q.parameters()
	cursor := p.text("cursor", maxCursor)
	n := p.integer("n", 1, tipoff.MaxPerPage, tipoff.DefaultPerPage)
	if err := p.end(); err != nil {
		return err
	}
	var answer page
	if answer.Coupons, answer.Cursor, err = api.Archive.Coupons(q.context(), q.company(), id, cursor, n); err != nil {
		return err
	}
	return q.writeJSON(fasthttp.StatusOK, answer)
}
