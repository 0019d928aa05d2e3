package http

import "github.com/valyala/fasthttp"

// countEvent serves how an event is bet on: from the archive, and from memory who its
// neighbours are.
func (s *Server) countEvent(q *request, api *API) error {
	id, err := q.onlyValue("event_id")
	if err != nil {
		return err
	}
	near, held, known := api.Recommender.Held(q.company(), id, s.Now())
	counts, err := api.Archive.Counts(q.context(), q.company(), id)
	if err == nil && counts.Bets == 0 && !known { // it may be there all the same
		_, err = api.Archive.Event(q.context(), q.company(), id)
	}
	if err != nil {
		return err
	}
	counts.Neighbours, counts.Held = near, held
	return q.writeJSON(fasthttp.StatusOK, counts)
}
