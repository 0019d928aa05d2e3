package node

import (
	"math"
	"sync"
	"time"

	"tipoff/http"
)

// minute counts how long something took within the last minute. Times are kept in
// classes whose bounds grow by a fifth, so what it says is right to a tenth.
type minute struct {
	mu    sync.Mutex
	spans [minuteSpans]span
}

// span is a part of the minute.
type span struct {
	number int64 // of all spans since 1970
	counts [minuteClasses]int64
}

const (
	minuteSpans   = 12
	spanLength    = 5 * time.Second
	minuteClasses = 128
	classesIn2    = 4 // from a time to the double of it
)

func (m *minute) add(took time.Duration, now time.Time) {
	class := classOf(took)
	number := now.UnixNano() / int64(spanLength)
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.spans[number%minuteSpans]
	if s.number != number {
		*s = span{number: number}
	}
	s.counts[class]++
}

// classOf is the class of a time; class 0 is that of a microsecond and less.
func classOf(took time.Duration) int {
	if took <= time.Microsecond {
		return 0
	}
	return min(minuteClasses-1, 1+int(math.Log2(float64(took)/float64(time.Microsecond))*classesIn2))
}

// middle is the time in the middle of a class, in milliseconds.
func middle(class int) float64 {
	return math.Round(math.Exp2((float64(class)-0.5)/classesIn2)) / 1000
}

// freshness returns nil where nothing came within the last minute.
func (m *minute) freshness(now time.Time) *http.Freshness {
	newest := now.UnixNano() / int64(spanLength)
	var counts [minuteClasses]int64
	all := int64(0)
	m.mu.Lock()
	for i := range m.spans {
		if s := &m.spans[i]; s.number > newest-minuteSpans {
			for class, n := range s.counts {
				counts[class] += n
				all += n
			}
		}
	}
	m.mu.Unlock()
	if all == 0 {
		return nil
	}
	return &http.Freshness{P50: quantile(&counts, (all+1)/2), P99: quantile(&counts, all-all/100), Count: all}
}

// quantile is the time of the nth, counted from the shortest.
func quantile(counts *[minuteClasses]int64, nth int64) float64 {
	for class, n := range counts {
		if nth -= n; nth <= 0 {
			return middle(class)
		}
	}
	return middle(minuteClasses - 1)
}
