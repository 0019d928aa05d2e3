package node

import (
	"runtime"
	"testing"
)

func TestCollector_SparesMemoryWhereThatIsCheap(t *testing.T) {
	percent := mostGarbage
	for range 20 {
		percent = nextGarbage(percent, cheapShare/2)
	}
	if percent != leastGarbage {
		t.Errorf("%d%% after a time in which collecting cost nothing", percent)
	}
	if next := nextGarbage(percent, (cheapShare+dearShare)/2); next != percent {
		t.Errorf("%d%% where %d%% cost what it may", next, percent)
	}
	for range 20 {
		percent = nextGarbage(percent, 2*dearShare)
	}
	if percent != mostGarbage {
		t.Errorf("%d%% after a time in which collecting cost too much", percent)
	}
}

func TestCollector_KnowsWhatCollectingCosts(t *testing.T) {
	before := collectorTimes()
	for range 3 {
		runtime.GC()
	}
	if share := collectorTimes().share(before); share <= 0 || share > 1 {
		t.Errorf("three collections took a share of %v", share)
	}
}
