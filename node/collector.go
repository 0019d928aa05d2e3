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
	cheapShare     = 0.01 // of the processors' time: less may be spent on collecting more often
	dearShare      = 0.03 // more than this goes into collecting too often
	leastGarbage   = 20   // percent of what lives
	firstGarbage   = 50
	mostGarbage    = 100       // Go's own
	garbageRoom    = 256 << 20 // bytes that may gather however little lives
	leastLive      = 4 << 20   // bytes, Go's least heap
)

// tendCollector adjusts how much garbage may gather, until ctx ends. It leaves alone who
// has set GOGC.
func tendCollector(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	ticker := time.NewTicker(collectorEvery)
	defer ticker.Stop()
	percent, before := firstGarbage, collectorTimes()
	debug.SetGCPercent(withRoom(percent, live()))
	for {
		select {
		case <-ctx.Done():
			debug.SetGCPercent(mostGarbage)
			return nil
		case <-ticker.C:
		}
		now := collectorTimes()
		if now == before { // nothing was collected: these times stand until something is
			continue
		}
		percent, before = nextGarbage(percent, now.share(before)), now
		debug.SetGCPercent(withRoom(percent, live()))
	}
}

// nextGarbage is the percentage after one that made collecting cost a share of the
// processors' time.
func nextGarbage(percent int, share float64) int {
	switch {
	case share < cheapShare:
		percent = percent * 3 / 4
	case share > dearShare:
		percent = percent * 3 / 2
	}
	return min(max(percent, leastGarbage), mostGarbage)
}

// withRoom is the percentage that lets garbage gather to a percentage of what lives, and to
// garbageRoom at least: where little lives, collecting often saves nothing worth having.
func withRoom(percent int, live uint64) int {
	return max(percent, int(garbageRoom*100/max(live, leastLive)))
}

// live is how many bytes lived after the last collection.
func live() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
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
