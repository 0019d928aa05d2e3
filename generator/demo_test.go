package generator

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// The console shows the sportsbook as it fills, so it is named before there is one.
func TestDemo_NamesTheConsoleFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := Demo(ctx, &Client{URL: "http://127.0.0.1:1"}, "", &out, io.Discard); err == nil {
		t.Error("a demonstration that is told to end goes on")
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(out.String()), "\n"); !strings.HasSuffix(first, "http://127.0.0.1:1/console") {
		t.Errorf("the first line is %q", first)
	}
}
