package http

import (
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"tipoff"
)

// Journeys follow single coupons on their way through this process.
type Journeys interface {
	// Posted notes that a coupon is about to be published, and OnTopic that the broker has
	// it: from then on it counts as accepted.
	Posted(company, user, coupon string)
	OnTopic(company, user, coupon string)
	// Journey says how far a coupon has come; ok is false for one that is not followed, or
	// that the broker does not have.
	Journey(company, user, coupon string) (stages []Stage, ok bool)
}

// Stage is how far a coupon has come.
type Stage struct {
	Stage  string     `json:"stage"`
	At     *time.Time `json:"at"` // nil: it is not there yet, or this process cannot know
	Millis *float64   `json:"ms"` // since it was accepted
}

// Bounds of what is followed.
const (
	// followMost is how many coupons a post may have so that they are followed.
	followMost = 10
	// followFor is how long after a question about one coupons are followed although no
	// stream is open.
	followFor = time.Minute
)

// journey is the response to GET /v1/coupons/{coupon_id}/journey.
type journey struct {
	CouponID string  `json:"coupon_id"`
	Stages   []Stage `json:"stages"`
}

// getJourney serves how far a coupon has come that was posted here just now.
func (s *Server) getJourney(q *request, api *API) error {
	id, err := q.pathValue("coupon_id")
	if err != nil {
		return err
	}
	p := q.parameters()
	user := p.id("user_id")
	if err := p.end(); err != nil {
		return err
	}
	s.journeyAsked.Store(time.Now().UnixNano())
	if api.Journeys == nil {
		return errNotFollowed
	}
	stages, followed := api.Journeys.Journey(q.company(), user, id)
	if !followed {
		return errNotFollowed
	}
	return q.writeJSON(fasthttp.StatusOK, journey{id, stages})
}

// follows says whether somebody may want to see how far coupons come.
func (s *Server) follows(api *API) bool {
	return api.Journeys != nil && (s.board.watched() || time.Since(time.Unix(0, s.journeyAsked.Load())) < followFor)
}

// following is the coupons of a post that is followed; nil: it is not.
type following struct {
	journeys Journeys
	company  string
	coupons  []*tipoff.Coupon
}

// follow returns what follows a post of so many items, if they are few and somebody looks.
func (s *Server) follow(q *request, api *API, items int) *following {
	if items > followMost || !s.follows(api) {
		return nil
	}
	return &following{journeys: api.Journeys, company: q.company()}
}

// add adds a coupon, if the item was one.
func (f *following) add(c *tipoff.Coupon) {
	if f != nil && c != nil {
		f.coupons = append(f.coupons, c)
	}
}

// posted notes that the coupons are about to be published.
func (f *following) posted() {
	if f == nil {
		return
	}
	for _, c := range f.coupons {
		f.journeys.Posted(f.company, c.UserID, strings.Clone(c.ID)) // of a text as long as the whole item
	}
}

// published notes that the broker has them.
func (f *following) published() {
	if f == nil {
		return
	}
	for _, c := range f.coupons {
		f.journeys.OnTopic(f.company, c.UserID, c.ID)
	}
}
