package http

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"tipoff"
	"tipoff/topics"
)

// The four routes of the service that this one replaces.

func hello(q *request) error {
	q.SetContentType("text/plain; charset=utf-8")
	q.SetBodyString("Hello World")
	return nil
}

func (s *Server) registerUser(q *request) error {
	return s.register(q, func(body []byte, how tipoff.Reading) (topics.Record, error) {
		u, err := tipoff.DecodeUser(body, how)
		if err != nil {
			return topics.Record{}, err
		}
		return topics.UserRecord(q.company(), u, how.Now), nil
	})
}

func (s *Server) registerEvent(q *request) error {
	return s.register(q, func(body []byte, how tipoff.Reading) (topics.Record, error) {
		e, err := tipoff.DecodeEvent(body, how)
		if err != nil {
			return topics.Record{}, err
		}
		return topics.EventRecord(q.company(), e, how.Now), nil
	})
}

func (s *Server) registerCoupon(q *request) error {
	return s.register(q, func(body []byte, how tipoff.Reading) (topics.Record, error) {
		c, err := tipoff.DecodeCoupon(body, how)
		if err != nil {
			return topics.Record{}, err
		}
		return topics.CouponRecord(q.company(), c, how.Now), nil
	})
}

// register publishes one entity and echoes it as it was posted.
func (s *Server) register(q *request, decode func([]byte, tipoff.Reading) (topics.Record, error)) error {
	body, err := q.object()
	if err != nil {
		return err
	}
	record, err := decode(body, tipoff.Reading{Now: s.Now()})
	if err != nil {
		return err
	}
	api, err := q.api()
	if err != nil {
		return err
	}
	if err := api.Publisher.Publish(q.context(), []topics.Record{record}); err != nil {
		return err
	}
	q.SetContentType("application/json")
	q.SetBody(body)
	return nil
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
func (s *Server) recommendOld(q *request) error {
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
	api, err := q.api()
	if err != nil {
		return err
	}
	answer := api.Recommender.Recommend(q.company(), query, s.Now())
	events := make([]oldEvent, len(answer.Items))
	for i := range answer.Items {
		e := &answer.Items[i].Event
		events[i] = oldEvent{
			ID: tipoff.EventRef(e.ID), EventID: e.ID, Begin: e.Begin.Format(time.DateOnly), End: e.End.Format(time.DateOnly),
			Country: e.Country, League: e.League, Participants: e.Participants, Sport: e.Sport,
		}
	}
	return q.answer(fasthttp.StatusOK, events)
}
