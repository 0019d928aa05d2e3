package broker

import (
	"strings"
	"testing"
	"time"
)

func TestFreshness_OfAViewThatIsNeverAtTheEndButFollows(t *testing.T) {
	t.Parallel()
	applied, now := int64(0), time.Now()
	behind := func(ends map[int32]int64) int64 { return max(0, ends[0]-applied) }
	f := new(freshness)
	end := func(at int64) map[int32]int64 { return map[int32]int64{0: at} }
	f.saw(end(10), now.Add(-60*time.Second), behind)
	if s := f.of(State{Ready: true}); s.Spared || !s.AsOf.IsZero() {
		t.Errorf("before it had all: %+v", s)
	}
	applied = 10 // of 20
	f.saw(end(20), now.Add(-59*time.Second), behind)
	if s := f.of(State{Ready: true}); s.Ready || !s.Spared || s.AsOf.Unix() != now.Add(-60*time.Second).Unix() || !strings.Contains(s.Detail, "does not see the end") {
		t.Errorf("what it has is a minute old: %+v", s)
	}
	applied = 25
	f.saw(end(30), now, behind)
	f.saw(end(40), now, behind)
	applied = 39
	f.saw(end(40), now, behind)
	if s := f.of(State{Ready: true}); !s.Ready {
		t.Errorf("one that follows closely: %+v", s)
	}
}

func TestFreshness_AViewThatEndedIsNotReadyBeforeItRunsAgain(t *testing.T) {
	t.Parallel()
	none := func(map[int32]int64) int64 { return 0 }
	f := new(freshness)
	f.saw(nil, time.Now(), none)
	why := "ended 9 times in a row"
	f.trouble.Store(&why)
	for _, living := range []bool{false, true} {
		f.living.Store(living)
		f.saw(nil, time.Now(), none)
		if s := f.of(State{Ready: true, Detail: "follows its table"}); s.Ready != living || !s.Spared || (s.Detail == why) == living {
			t.Errorf("while it runs %v: %+v", living, s)
		}
	}
}
