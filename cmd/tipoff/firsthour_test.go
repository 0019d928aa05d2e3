package main

import (
	"testing"

	"tipoff/blackbox"
)

func TestServices_FirstHour(t *testing.T) {
	s := realServices(t)
	for _, role := range []string{"processors", "learner"} {
		launch(t, s.env(), role).ready()
	}
	blackbox.FirstHours(t, launch(t, s.env(), "api").ready().url, s.connect())
}
