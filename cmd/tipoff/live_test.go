package main

import (
	"os"
	"testing"

	"tipoff/blackbox"
)

// TestLive runs the black-box tests against the Tipoff that TIPOFF_TEST_URL names.
func TestLive(t *testing.T) {
	url := os.Getenv("TIPOFF_TEST_URL")
	if url == "" {
		t.Skip("no running Tipoff is named: make test-live URL=http://host:5000")
	}
	blackbox.Run(t, url)
}
