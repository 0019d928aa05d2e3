package http

import "github.com/valyala/fasthttp"

// quality serves GET /v1/quality.
func (s *Server) quality(q *request, api *API) error {
	if err := q.parameters().end(); err != nil {
		return err
	}
	return q.writeJSON(fasthttp.StatusOK, api.Recommender.Quality(q.company(), s.Now()))
}
