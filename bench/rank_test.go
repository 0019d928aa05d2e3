package bench

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"tipoff"
	"tipoff/rank"
)

// rankWorld has the index hold a world whose bettors all ask the same question in turn, as
// the row lookup has it, without anything around.
func rankWorld(s size) (*rank.Index, []rank.Question) {
	w, x := newWorld(s, time.Now().Truncate(time.Second)), rank.NewIndex()
	questions := make([]rank.Question, s.bettors)
	for i := range questions {
		x.PutBettor(w.users[i].ID, w.bettor(i))
		questions[i] = rank.Question{Query: tipoff.Query{UserID: w.users[i].ID, N: 10, Diversity: tipoff.DefaultVariety}, Now: w.now}
	}
	for id, f := range w.fixtures {
		x.PutFixture(tipoff.EventRef(id), f, w.now)
	}
	for range s.bettors/1000 + 10 { // the minutes before the first question
		x.Begin(w.now)
		x.Sweep()
	}
	x.Refresh(w.now)
	return x, questions
}

// rankSizes are two worlds to ask: the one that [BenchmarkRank] always had, and that of the
// row lookup, whose bettors do not fit a processor's caches.
var rankSizes = []size{{20_000, 5000, worldBets}, {100_000, 5000, worldBets}}

var rankOnce = func() (once []func() (*rank.Index, []rank.Question)) {
	for _, s := range rankSizes {
		once = append(once, sync.OnceValues(func() (*rank.Index, []rank.Question) { return rankWorld(s) }))
	}
	return once
}()

// BenchmarkRank asks for bettors in turn while the time passes as it does when 10,000 a
// second ask.
func BenchmarkRank(b *testing.B) {
	for i, s := range rankSizes {
		b.Run(fmt.Sprint(s.bettors, " bettors"), func(b *testing.B) { benchmarkRank(b, rankOnce[i]) })
	}
}

func benchmarkRank(b *testing.B, world func() (*rank.Index, []rank.Question)) {
	x, questions := world()
	scratch, now := new(rank.Scratch), questions[0].Now
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if now = now.Add(100 * time.Microsecond); i%10_000 == 0 {
			x.Refresh(now)
		}
		q := &questions[i%len(questions)]
		q.Now = now
		x.Rank(q, scratch)
	}
}
