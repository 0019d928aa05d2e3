package main

import (
	"fmt"
	"maps"
	"slices"

	"tipoff/oracle"
)

// report prints what the rounds came to and draws the picture; the error says that
// faults were found, and how to find them again.
func (h *harness) report(done, next int) error {
	counts := h.ledger.counts
	fmt.Printf("\nrounds=%d kills=%d facts=%d accepted=%d refused=%d unknown=%d repeats=%d recommendations=%d lost=%d twice=%d wrong=%d seed=%d\n",
		done, h.kills, len(h.ledger.entries), counts[accepted], counts[refused], counts[unknown], h.ledger.repeats, h.asked.Load(),
		h.counts[oracle.Lost], h.counts[oracle.Twice], h.counts[oracle.Wrong], h.Seed)
	fmt.Println("time to recover, s (from a kill, or from the end of another disturbance):   n   median    worst")
	for _, kind := range slices.Sorted(maps.Keys(h.recoveries)) {
		times := slices.Sorted(slices.Values(h.recoveries[kind]))
		fmt.Printf("  %-70s %5d %8.1f %8.1f\n", kind, len(times), times[len(times)/2].Seconds(), times[len(times)-1].Seconds())
	}
	picture, err := h.draw()
	if err == nil {
		fmt.Println("the picture:", picture)
	}
	if len(h.faults) > 0 {
		return fmt.Errorf("%d faults; again: CHAOS_SEED=%d CHAOS_FIRST=%d CHAOS_ROUNDS=1 make chaos", len(h.faults), h.Seed, next-1)
	}
	return err
}
