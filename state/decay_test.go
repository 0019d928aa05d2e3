package state

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-9*math.Max(1, math.Max(math.Abs(a), math.Abs(b)))
}

func TestDecayed_HalvesEachHalfLife(t *testing.T) {
	var d Decayed
	d.Add(8, 1000, time.Minute)
	for minutes, want := range map[int64]float64{0: 8, 1: 4, 2: 2, 10: 8.0 / 1024} {
		if got := d.Value(1000+60*minutes, time.Minute); !near(got, want) {
			t.Errorf("after %d minutes: %v, want %v", minutes, got, want)
		}
	}
}

func TestDecayed_DoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		halfLife := time.Duration(rapid.Int64Range(60, 90*86400).Draw(t, "half-life")) * time.Second
		type addition struct {
			weight float64
			at     int64
		}
		additions := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) addition {
			return addition{rapid.Float64Range(0.1, 10).Draw(t, "weight"), rapid.Int64Range(0, 100*86400).Draw(t, "at")}
		}), 1, 30).Draw(t, "additions")
		shuffled := rapid.Permutation(additions).Draw(t, "shuffled")
		var a, b Decayed
		for i := range additions {
			a.Add(additions[i].weight, additions[i].at, halfLife)
			b.Add(shuffled[i].weight, shuffled[i].at, halfLife)
		}
		if a.At != b.At || !near(a.Sum, b.Sum) {
			t.Fatalf("%+v in one order, %+v in another", a, b)
		}
	})
}

func TestDecayed_IsNotPoisonedByTheYearOne(t *testing.T) {
	var d Decayed
	d.Add(1, time.Now().Unix(), PopularityHalfLife)
	before := d.Sum
	d.Add(1, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), PopularityHalfLife)
	if d.Sum != before || math.IsNaN(d.Sum) {
		t.Errorf("sum = %v, want %v", d.Sum, before)
	}
}

func TestDecayed_TakesAnyPast(t *testing.T) {
	ancient := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for _, times := range [][]int64{{ancient}, {ancient, noon.Unix()}, {noon.Unix(), ancient}} {
		var d Decayed
		for _, at := range times {
			d.Add(1, at, PopularityHalfLife)
		}
		if got := d.Value(times[len(times)-1], PopularityHalfLife); !near(got, 1) {
			t.Errorf("bets of %v add up to %v, want 1", times, got)
		}
	}
}
