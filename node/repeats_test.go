package node

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// logged is a log that a test reads while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(l.text.String()), "\n")
}

func TestLogger_TellsTheSameFaultOnce(t *testing.T) {
	t.Parallel()
	out := new(logged)
	log := (&Logs{}).Logger(out)
	for i := range 100 {
		log.Error("ended", "part", "a", "error", fmt.Errorf("read from port %d", i))
		log.Error("ended", "part", "b", "error", errors.New("broken"))
		log.With("part", "c").Warn("ended", "topic", "t")
		log.Info("begun", "part", "a")
	}
	for part, want := range map[string]int{"ended part=a": 1, "ended part=b": 1, "part=c topic=t": 1, "begun": 100} {
		got := 0
		for _, line := range out.lines() {
			if strings.Contains(line, part) {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d lines, want %d", part, got, want)
		}
	}
}

func TestRepeats_AreCountedAndForgotten(t *testing.T) {
	t.Parallel()
	out := new(logged)
	r := newRepeats(slog.NewTextHandler(out, nil), time.Hour).(*repeats)
	log := slog.New(r)
	for range 8 {
		log.Error("ended", "part", "a", "error", "why")
	}
	key := "ended\npart=a"
	r.again(key)
	lines := out.lines()
	if len(lines) != 2 || strings.Contains(lines[0], "times=") || !strings.Contains(lines[1], "part=a error=why times=7 within=1h0m0s") {
		t.Errorf("%q", lines)
	}
	r.again(key) // none since: forgotten, so the next one is told at once
	log.Error("ended", "part", "a", "error", "why")
	if lines = out.lines(); len(lines) != 3 || strings.Contains(lines[2], "times=") {
		t.Errorf("%q", lines)
	}
}

func TestBounded_CutsADetailWithinItsBound(t *testing.T) {
	t.Parallel()
	for detail, want := range map[string]int{"short": 5, strings.Repeat("é", 249) + "x": 499, strings.Repeat("é", 300): 499} {
		if got := bounded(detail); len(got) != want || (len(detail) > maxDetail) != strings.HasSuffix(got, "...") {
			t.Errorf("%d bytes, want %d: %s", len(got), want, got)
		}
	}
}
