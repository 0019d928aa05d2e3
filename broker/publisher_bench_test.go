package broker

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tipoff/topics"
)

// BenchmarkPublisher publishes single coupons, so many at a time, to a broker in the same
// process, whose work counts with them.
func BenchmarkPublisher(b *testing.B) {
	for _, callers := range []int{1, 16, 512} {
		b.Run(fmt.Sprint(callers, " at a time"), func(b *testing.B) { publishSingly(b, callers) })
	}
}

func publishSingly(b *testing.B, callers int) {
	k := fake(b)
	p, err := connect(b, Config{Brokers: k.ListenAddrs()}).NewPublisher(5 * time.Second)
	if err != nil {
		b.Fatal(err)
	}
	value, now := make([]byte, 250), time.Now()
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				r := topics.Record{Topic: topics.Users, Key: "default/bettor-17", Value: value, Received: now, Events: "known"}
				if err := p.Publish(b.Context(), []topics.Record{r}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	if err := p.Close(); err != nil {
		b.Error(err)
	}
}
