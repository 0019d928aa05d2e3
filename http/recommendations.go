package http

import (
	"math/rand/v2"
	"strconv"

	"github.com/valyala/fasthttp"

	"tipoff"
)

// gentle is how varied a slate is unless the client says otherwise.
const gentle = 0.1

// scenarios are named presets for the place where a slate is shown: how varied it
// is, unless the query says so itself.
var scenarios = map[string]float64{
	"home":     gentle,
	"bet-slip": 0,
}

// recommend answers GET /v1/recommendations.
func (s *Server) recommend(q *request) error {
	p := q.parameters()
	scenario := p.oneOf("scenario", "home", "home", "bet-slip")
	query := tipoff.Query{
		UserID:       p.id("user_id"),
		N:            p.integer("n", 1, tipoff.MaxItems, tipoff.DefaultItems),
		Sport:        p.text("sport", tipoff.MaxID),
		League:       p.text("league", tipoff.MaxID),
		Country:      p.text("country", tipoff.MaxName),
		Within:       p.duration("within"),
		Exclude:      p.ids("exclude", tipoff.MaxExcluded),
		Diversity:    p.number("diversity", 0, 1, scenarios[scenario]),
		MaxPerLeague: p.integer("max_per_league", 1, tipoff.MaxItems, 0),
	}
	if err := p.end(); err != nil {
		return err
	}
	api, err := q.api()
	if err != nil {
		return err
	}
	answer := api.Recommender.Recommend(q.company(), query, s.Now())
	answer.ID = strconv.FormatUint(rand.Uint64(), 36)
	return q.answer(fasthttp.StatusOK, answer)
}

// popularEvents is the answer to GET /v1/popular.
type popularEvents struct {
	Items []tipoff.PopularEvent `json:"items"`
}

func (s *Server) popular(q *request) error {
	p := q.parameters()
	n := p.integer("n", 1, tipoff.MaxItems, tipoff.DefaultItems)
	sport, country := p.text("sport", tipoff.MaxID), p.text("country", tipoff.MaxName)
	if err := p.end(); err != nil {
		return err
	}
	api, err := q.api()
	if err != nil {
		return err
	}
	return q.answer(fasthttp.StatusOK, popularEvents{api.Recommender.Popular(q.company(), sport, country, n, s.Now())})
}
