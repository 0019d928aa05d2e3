package http

import (
	"strconv"

	"tipoff"
	"tipoff/topics"
)

// The four routes of the service that this one replaces.

func hello(q *request) error {
	q.SetContentType("text/plain; charset=utf-8")
	q.SetBodyString("Hello World")
	return nil
}

// register returns the handler of a route that publishes one fact of a kind and
// echoes it as it was posted.
func (s *Server) register(kind tipoff.Kind) handler {
	return func(q *request, api *API) error {
		body, err := q.object()
		if err != nil {
			return err
		}
		now := s.Now()
		fact, err := tipoff.DecodeFact(kind, body, tipoff.Reading{Now: now})
		if err != nil {
			return err
		}
		fact.At = now
		followed := s.follow(q, api, 1)
		followed.add(fact.Coupon)
		followed.posted()
		if err := api.Publisher.Publish(q.context(), []topics.Record{recordOf(q.company(), fact, api.Recommender)}); err != nil {
			return err
		}
		followed.published()
		q.SetContentType("application/json")
		q.SetBody(body)
		return nil
	}
}

// oldEvent is an event as the old service showed it.
type oldEvent struct {
	ID           uint64   `json:"id"`
	EventID      string   `json:"event_id"`
	Begin        string   `json:"begin_timestamp"`
	End          string   `json:"end_timestamp"`
	Country      string   `json:"country"`
	League       string   `json:"league"`
	Participants []string `json:"participants"`
	Sport        string   `json:"sport"`
}

// recommendOld serves GET /recommend?user_id=&n=, events of the sports and leagues
// that the user follows: no n, or a negative one, asks for one event; 0 for all.
func (s *Server) recommendOld(q *request, api *API) error {
	query := tipoff.Query{UserID: string(q.QueryArgs().Peek("user_id")), N: 1, Followed: true}
	if query.UserID == "" {
		return tipoff.Faults{{Field: "user_id", Message: "is required"}}
	}
	if err := tipoff.CheckID(query.UserID); err != nil {
		return tipoff.Faults{{Field: "user_id", Message: err.Error()}}
	}
	if asked := string(q.QueryArgs().Peek("n")); asked != "" {
		n, err := strconv.Atoi(asked)
		switch {
		case err != nil:
			return tipoff.Faults{{Field: "n", Message: "must be an integer"}}
		case n == 0:
			query.N = tipoff.MaxItemsOld
		case n > 0:
			query.N = min(n, tipoff.MaxItemsOld)
		}
	}
	if done, err := s.forward(q, query.UserID); done {
		return err
	}
	answer := api.Recommender.Recommend(q.company(), query, s.Now())
	q.writeJoined(func(to []byte) []byte { return appendOldEvents(to, answer.Items) })
	return nil
}
