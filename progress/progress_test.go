package progress

import (
	"strings"
	"testing"
)

func TestProgress_SaysInALineHowFarItHasCome(t *testing.T) {
	var out strings.Builder
	p := New(&out, "counting", 7)
	p.Add(3)
	p.Add(4)
	p.End()
	if said := out.String(); !strings.HasPrefix(said, "counting: 7 of 7, ") || strings.Count(said, "\n") != 1 {
		t.Errorf("said %q", said)
	}
}

func TestProgress_SaysHowLongTheRestMayTake(t *testing.T) {
	var out strings.Builder
	p := New(&out, "counting", 4)
	p.began, p.said = p.began.Add(-2*sayEvery), p.said.Add(-sayEvery)
	p.Add(1) // a line is due
	if said := out.String(); !strings.HasPrefix(said, "counting: 1 of 4, ") || !strings.HasSuffix(said, ", about 30s left\n") {
		t.Errorf("said %q", said)
	}
}
