package node

import (
	"math"
	"testing"
	"time"
)

func TestMinute_SaysHowLongTheLastMinuteTookAndForgetsTheOneBefore(t *testing.T) {
	t.Parallel()
	m, now := new(minute), time.Now()
	if f := m.freshness(now); f != nil {
		t.Errorf("of nothing: %+v", f)
	}
	for range 97 {
		m.add(2*time.Millisecond, now)
	}
	for range 3 {
		m.add(80*time.Millisecond, now)
	}
	m.add(-time.Second, now.Add(-20*time.Second)) // clocks differ
	m.add(400*time.Hour, now.Add(-20*time.Second))
	near := func(got, want float64) bool { return math.Abs(got/want-1) <= 0.1 }
	if f := m.freshness(now); f == nil || f.Count != 102 || !near(f.P50, 2) || !near(f.P99, 80) {
		t.Errorf("%+v", f)
	}
	if f := m.freshness(now.Add(50 * time.Second)); f == nil || f.Count != 100 {
		t.Errorf("later: %+v", f)
	}
	if f := m.freshness(now.Add(2 * time.Minute)); f != nil {
		t.Errorf("after two minutes: %+v", f)
	}
}
