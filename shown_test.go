package tipoff

import (
	"sync"
	"testing"
)

func TestShown_CountsTheLastMinutes(t *testing.T) {
	o := Offer(&Event{ID: "e"}, nil)
	for _, step := range []struct{ minute, times uint32 }{{100, 1}, {100, 2}, {105, 4}, {109, 8}} {
		o.Show(step.minute, step.times)
	}
	for minute, want := range map[uint32]uint64{99: 0, 100: 3, 105: 7, 109: 15, 110: 12, 114: 12, 115: 8, 118: 8, 119: 0} {
		if got := o.Shown(minute); got != want {
			t.Errorf("in the ten minutes up to %d: shown %d times, want %d", minute, got, want)
		}
	}
	o.Show(110, 16) // in the place of minute 100
	o.Show(100, 32) // a clock that has gone back
	if got := o.Shown(110); got != 28 {
		t.Errorf("shown %d times, want 28", got)
	}
	if again := Offer(&Event{ID: "e", Status: StatusSuspended}, o); again.Shown(110) != 28 {
		t.Errorf("the event's next form was shown %d times, want 28", again.Shown(110))
	}
	if none := new(Offered); none.Shown(1) != 0 {
		t.Error("what was never shown was")
	}
}

func TestShow_LosesNoneOfManyAtOnce(t *testing.T) {
	o := Offer(&Event{ID: "e"}, nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range uint32(20_000) {
				o.Show(50+i/10_000, 1)
			}
		})
	}
	all.Wait()
	if got := o.Shown(51); got != 8*20_000 {
		t.Errorf("shown %d times, want %d", got, 8*20_000)
	}
	allocated := testing.AllocsPerRun(100, func() { o.Show(52, 1) })
	if allocated != 0 {
		t.Errorf("showing allocates %v times", allocated)
	}
}
