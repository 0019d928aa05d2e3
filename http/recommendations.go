package http

import (
	"math/rand/v2"
	"strings"

	"github.com/valyala/fasthttp"

	"tipoff"
)

// scenario is a named preset for the place where a slate is shown.
type scenario struct {
	diversity float64 // unless the query says so itself
	followed  bool    // only of sports and leagues that the user follows
}

var scenarios = map[string]scenario{
	"home":     {diversity: tipoff.DefaultVariety},                 // the first screen: a little of everything
	"bet-slip": {},                                                 // one more leg: the most likely first
	"similar":  {diversity: tipoff.DefaultVariety, followed: true}, // more of what the user bets on
}

var rankers = tipoff.Rankers()

// A client that says so gets an answer of this moment.
const headerCacheControl = "Cache-Control"

// isFresh says whether a value of Cache-Control has no-cache, in upper or lower case.
func isFresh(value []byte) bool {
	const noCache = "no-cache"
	for ; len(value) >= len(noCache); value = value[1:] {
		if strings.EqualFold(string(value[:len(noCache)]), noCache) {
			return true
		}
	}
	return false
}

// recommend serves GET /v1/recommendations.
func (s *Server) recommend(q *request, api *API) error {
	p := q.parameters()
	query := s.query(q, p)
	if err := p.end(); err != nil {
		return err
	}
	if done, err := s.forward(q, query.UserID); done {
		return err
	}
	answer := api.Recommender.Recommend(q.company(), query, s.Now())
	q.writeJoined(func(to []byte) []byte { return appendRecommendation(to, &answer, rand.Uint64()) })
	return nil
}

// query reads the parameters of a recommendation.
func (*Server) query(q *request, p *parameters) tipoff.Query {
	shown := scenarios[p.oneOf("scenario", "home", "home", "bet-slip", "similar")]
	return tipoff.Query{
		UserID:       p.id("user_id"),
		N:            p.integer("n", 1, tipoff.MaxItems, tipoff.DefaultItems),
		Sport:        p.text("sport", tipoff.MaxID),
		League:       p.text("league", tipoff.MaxID),
		Country:      p.text("country", tipoff.MaxName),
		Within:       p.duration("within"),
		Exclude:      p.ids("exclude", tipoff.MaxExcluded),
		Diversity:    p.number("diversity", 0, 1, shown.diversity),
		MaxPerLeague: p.integer("max_per_league", 1, tipoff.MaxItems, 0),
		Followed:     shown.followed,
		Fresh:        isFresh(q.Request.Header.Peek(headerCacheControl)),
		Ranker:       p.oneOf("ranker", "", rankers...),
	}
}

// popularEvents is the response to GET /v1/popular.
type popularEvents struct {
	Items []tipoff.PopularEvent `json:"items"`
}

func (s *Server) popular(q *request, api *API) error {
	p := q.parameters()
	n := p.integer("n", 1, tipoff.MaxItems, tipoff.DefaultItems)
	sport, country := p.text("sport", tipoff.MaxID), p.text("country", tipoff.MaxName)
	if err := p.end(); err != nil {
		return err
	}
	return q.writeJSON(fasthttp.StatusOK, popularEvents{api.Recommender.Popular(q.company(), sport, country, n, s.Now())})
}
