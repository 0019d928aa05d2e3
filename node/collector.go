package node

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What a gateway holds of a million bettors is a gigabyte that hardly changes. Go lets
// garbage grow to as much again before it collects, where a fifth would cost next to
// nothing; a process that works off a backlog in little memory needs the opposite. So the
// share is set by what collecting costs.

const (
	collectorEvery = 5 * time.Second
	startingEvery  = time.Second // until the process is ready
	cheapShare     = 0.01        // of the processors' time: less may be spent on collecting more often
	dearShare      = 0.03        // more than this goes into collecting too often
	leastGarbage   = 20          // percent of what lives
	firstGarbage   = 50
	mostGarbage    = 100 // Go's own
)

// tendCollector adjusts how much garbage may gather, until ctx ends. What a start needed to
// read the tables it gives back once the process is ready. It leaves alone who has set GOGC.
func (n *Node) tendCollector(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	isStarted := false
	ticker := time.NewTicker(startingEvery)
	defer ticker.Stop()
	percent, before := firstGarbage, collectorTimes()
	debug.SetGCPercent(percent)
	for {
		select {
		case <-ctx.Done():
			debug.SetGCPercent(mostGarbage)
			return nil
		case <-ticker.C:
		}
		if !isStarted && n.Readiness().Ready {
			isStarted, percent = true, leastGarbage
			ticker.Reset(collectorEvery)
			debug.SetGCPercent(percent)
			debug.FreeOSMemory()
		}
		now := collectorTimes()
		if now == before { // nothing was collected: these times stand until something is
			continue
		}
		if next := nextGarbage(percent, now.share(before)); next != percent {
			percent = next
			debug.SetGCPercent(percent)
		}
		before = now
	}
}

// nextGarbage is the percentage after one that made collecting cost a share of the
// processors' time.
func nextGarbage(percent int, share float64) int {
	switch {
	case share < cheapShare:
		percent = percent * 3 / 4
	case share > dearShare:
		percent *= 2
	}
	return min(max(percent, leastGarbage), mostGarbage)
}

// collectorTime is CPU time in seconds: of collecting, and of all processors, idle or not.
type collectorTime struct{ collecting, all float64 }

func (t collectorTime) share(before collectorTime) float64 {
	return (t.collecting - before.collecting) / (t.all - before.all)
}

func collectorTimes() collectorTime {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/total:cpu-seconds"}}
	metrics.Read(s)
	return collectorTime{s[0].Value.Float64(), s[1].Value.Float64()}
}
