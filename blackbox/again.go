package blackbox

import (
	"fmt"
	"net/url"

	"tipoff"
)

// postsAgain repeats posts of events after they were changed, and posts older versions
// after newer ones.
func postsAgain(s *Service) {
	post := func(name, league string, version tipoff.Version) {
		s.Helper()
		e := s.Event(name, league)
		e.Status, e.Version = "", version
		s.Post("/v1/events", 202, e)
	}
	patch := func(name, body string) {
		s.Helper()
		if status, answer, _ := s.Send("PATCH", "/v1/events/"+url.PathEscape(s.ID(name)), body); status != 202 {
			s.Fatalf("PATCH %s: %d %s", name, status, answer)
		}
	}
	post("repeated", "A", tipoff.Version{})
	post("versioned", "A", tipoff.VersionOf(1))
	s.WantRecommended("u", "repeated", "versioned")
	patch("repeated", `{"status":"cancelled"}`)
	post("repeated", "A", tipoff.Version{})
	patch("versioned", `{"status":"cancelled","version":3}`)
	open := s.Event("versioned", "A")
	open.Version = tipoff.VersionOf(2)
	s.Post("/v1/events", 202, open)
	patch("early", `{"status":"cancelled"}`)
	for range 2 {
		s.Post("/v1/events", 202, s.Event("early", "A"))
	}
	for _, name := range []string{"repeated", "versioned", "early"} {
		patch(name, `{"result":"last"}`) // comes after all that was posted of the event
		s.Eventually(func() error {
			var e tipoff.Event
			err := s.Get("/v1/events/"+url.PathEscape(s.ID(name)), &e)
			if err == nil && e.Result != "last" {
				err = fmt.Errorf("%s has the result %q", name, e.Result)
			}
			if err == nil && (e.Status != tipoff.StatusCancelled || name == "versioned" && e.Version != tipoff.VersionOf(3)) {
				s.Fatalf("%s is %+v, want it cancelled", name, e)
			}
			return err
		})
	}
	s.WantRecommended("u")
	s.Eventually(func() error { // the database follows
		var page struct {
			Events []tipoff.Event `json:"events"`
		}
		err := s.Get("/v1/events?status=cancelled&league="+url.QueryEscape(s.ID("A")), &page)
		last := 0
		for _, e := range page.Events {
			if e.Result == "last" {
				last++
			}
		}
		if err == nil && last != 3 {
			err = fmt.Errorf("cancelled events in the archive: %+v", page.Events)
		}
		return err
	})
	for _, version := range []string{"-1", "1.5", `"2"`, "9007199254740992"} {
		status, body, _ := s.Send("PATCH", "/v1/events/x", `{"status":"open","version":`+version+`}`)
		if status != 400 {
			s.Errorf("version %s: %d %s, want 400", version, status, body)
		}
	}
}
