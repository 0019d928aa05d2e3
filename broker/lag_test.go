package broker

import (
	"testing"
	"time"
)

func TestLag_IsNotKnownBeforeEachTopicWasLookedAt(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l := &Lag{Group: "g", topics: []string{"a", "b"}}
	check := func(known bool, flows int) {
		t.Helper()
		if all, is := l.All(); is != known || known && all != 7 {
			t.Errorf("lag %d, known %v", all, is)
		}
		if got := l.Flows(now); len(got) != flows {
			t.Errorf("%+v", got)
		}
	}
	check(false, 0)
	l.looks[0] = look{at: now, byTopic: map[string]int64{"a": 3}, ends: map[string]int64{"a": 30}}
	check(false, 1)
	l.looks[1] = l.looks[0]
	l.looks[1].at = now.Add(-time.Second)
	l.looks[0].byTopic = map[string]int64{"a": 3, "b": 4}
	l.looks[0].ends = map[string]int64{"a": 30, "b": 1000}
	check(true, 2)
	if f := l.Flows(now); f[0].Grown != 0 || f[1].Grown >= 0 || f[1].Done >= 0 {
		t.Errorf("a topic that was not looked at before has grown: %+v", f)
	}
}
