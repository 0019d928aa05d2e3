package http

import (
	"slices"

	"github.com/valyala/fasthttp"
)

// Readiness is the response to GET /readyz.
type Readiness struct {
	Ready   bool   `json:"ready"`             // no part that is needed fails: send it requests
	Accepts *bool  `json:"accepts,omitempty"` // of a gateway: posts are taken
	Fresh   *bool  `json:"fresh,omitempty"`   // of a gateway: answers are made of the newest facts
	Parts   []Part `json:"parts"`
}

// Part is one thing that a process does or needs.
type Part struct {
	Name   string   `json:"name"`
	Ready  bool     `json:"ready"`
	Needed bool     `json:"needed"`                // the process is ready only while this is
	Detail string   `json:"detail,omitempty"`      // for those who have the key: it may name servers and users
	Lag    int64    `json:"lag"`                   // records it has still to read
	Age    *float64 `json:"age_seconds,omitempty"` // of a view: since all that its table held was in it
}

// readyz says whether the process serves, and how each part of it is doing.
func (s *Server) readyz(q *request) error {
	answer := s.Readiness()
	if !s.keyFits(q) {
		answer.Parts = slices.Clone(answer.Parts)
		for i := range answer.Parts {
			answer.Parts[i].Detail = ""
		}
	}
	status := fasthttp.StatusOK
	if !answer.Ready {
		status = fasthttp.StatusServiceUnavailable
	}
	return q.writeJSON(status, answer)
}
