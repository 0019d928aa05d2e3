package bench

import "testing"

func TestParseCollection_TakesWorkAndPauses(t *testing.T) {
	c, ok := parseCollection("gc 5 @2.104s 3%: 0.018+1.3+0.076 ms clock, 0.036+0.1/0.9/0.3+0.15 ms cpu, 4->4->0 MB, 5 MB goal, 0 MB stacks, 0 MB globals, 2 P")
	if !ok || c.pause != 0.076 || c.cpu < 0.001185 || c.cpu > 0.001187 { // all but the idle 0.3
		t.Errorf("%t, %+v", ok, c)
	}
	for _, line := range []string{"", "time=now level=INFO msg=ready", "gc 5 @2s 3%: ?+1+2 ms clock, 1+1/1/1+1 ms cpu", "gc forced"} {
		if c, ok := parseCollection(line); ok {
			t.Errorf("%q: %+v", line, c)
		}
	}
}
