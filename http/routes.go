package http

import "tipoff"

// route is one line of the API.
type route struct {
	method, path string
	serve        func(*request) error
	open         bool // no key is asked for
}

// Routes for whoever runs the process, which are served whatever else is refused.
const (
	pathHealth  = "/healthz"
	pathReady   = "/readyz"
	pathMetrics = "/metrics"
	pathStream  = "/v1/status/stream"
)

// routes of the API; openapi.yaml describes each.
func (s *Server) routes() []route {
	routes := []route{
		{"GET", pathHealth, s.healthz, true},
		{"GET", pathReady, s.readyz, true},
		{"GET", pathMetrics, s.metricsPage, false},
		{"GET", "/v1/status", s.status, false},
		{"GET", pathStream, s.statusStream, false},
	}
	if s.API == nil {
		return routes
	}
	if !s.HideDocs {
		routes = append(routes, []route{ // a browser has no key before the page asks for it
			{"GET", "/openapi.yaml", openAPI, true},
			{"GET", "/docs", docsPage, true},
			{"GET", "/docs/{asset}", docsAsset, true},
			{"GET", "/console", consolePage, true},
			{"GET", "/console/{file}", consoleAsset, true},
			{"GET", "/console/{folder}/{file}", consoleAsset, true},
		}...)
	}
	return append(routes, []route{
		{"GET", "/hello", hello, true},
		{"POST", "/register_user", s.withAPI(s.register(tipoff.KindUser)), false},
		{"POST", "/register_event", s.withAPI(s.register(tipoff.KindEvent)), false},
		{"POST", "/register_coupon", s.withAPI(s.register(tipoff.KindCoupon)), false},
		{"GET", "/recommend", s.withAPI(s.recommendOld), false},

		{"POST", "/v1/users", s.withAPI(s.post(tipoff.KindUser)), false},
		{"POST", "/v1/events", s.withAPI(s.post(tipoff.KindEvent)), false},
		{"POST", "/v1/coupons", s.withAPI(s.post(tipoff.KindCoupon)), false},
		{"PATCH", "/v1/events/{event_id}", s.withAPI(s.patchEvent), false},
		{"GET", "/v1/recommendations", s.withAPI(s.recommend), false},
		{"GET", "/v1/explanations", s.withAPI(s.explain), false},
		{"GET", "/v1/quality", s.withAPI(s.quality), false},
		{"GET", "/v1/popular", s.withAPI(s.popular), false},
		{"GET", "/v1/events", s.withAPI(s.listEvents), false},
		{"GET", "/v1/events/{event_id}", s.withAPI(s.getEvent), false},
		{"GET", "/v1/events/{event_id}/counts", s.withAPI(s.countEvent), false},
		{"GET", "/v1/users/{user_id}", s.withAPI(s.getUser), false},
		{"GET", "/v1/users/{user_id}/affinities", s.withAPI(s.getAffinities), false},
		{"GET", "/v1/users/{user_id}/coupons", s.withAPI(s.getCoupons), false},
		{"GET", "/v1/coupons/{coupon_id}/journey", s.withAPI(s.getJourney), false},
		{"GET", "/v1/rejected", s.withAPI(s.listRejected), false},
		{"POST", "/v1/rejected/{id}/retry", s.withAPI(s.retryRejected), false},
	}...)
}

// handler serves a route that needs the API.
type handler func(*request, *API) error

// withAPI hands a handler the API. While its parts are not there yet, nothing of the
// request is read.
func (s *Server) withAPI(handle handler) func(*request) error {
	return func(q *request) error {
		api := s.API()
		if api == nil {
			return errStarting
		}
		return handle(q, api)
	}
}
