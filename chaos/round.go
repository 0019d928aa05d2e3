package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"tipoff/oracle"
)

// Times of a round.
const (
	roundLasts    = 6 * time.Second  // the load goes on at least so long
	recoverWithin = 90 * time.Second // else the round has failed
)

// round disturbs the system under load, lets it settle, and verifies it. It returns
// the facts that are on the topics by then.
func (h *harness) round(ctx context.Context, number int, before *oracle.Facts) (*oracle.Facts, error) {
	plan := h.plan(number)
	var planned []string
	for _, d := range plan {
		planned = append(planned, fmt.Sprintf("%s: %s at %.1f s for %.1f s", d.kind, d.what, d.after.Seconds(), d.lasts.Seconds()))
	}
	cut, err := h.cutSomeLog(ctx, number)
	if err != nil {
		return nil, err
	}
	fmt.Printf("\nround %d: %s\n", number, strings.Join(append(cut.said(), planned...), "; "))
	l := newLoad(h, number)
	watching, endWatch := context.WithCancel(ctx)
	defer endWatch()
	var watchers sync.WaitGroup
	for _, api := range h.apis() {
		watchers.Go(func() { h.watch(watching, api, l, before) })
	}
	began := time.Now()
	recovered, err := h.underLoad(ctx, number, l, plan)
	if err != nil {
		return nil, err
	}
	posted := time.Since(began)
	settling, cancel := context.WithTimeout(ctx, recoverWithin)
	defer cancel()
	if err := h.inSync(settling); err != nil {
		return nil, err
	}
	inSync := time.Since(began)
	if err := h.quiet(settling); err != nil {
		return nil, err
	}
	if err := h.named(cut); err != nil {
		return nil, err
	}
	settled := time.Since(began)
	endWatch()
	watchers.Wait()
	facts, err := h.verify(ctx)
	if err != nil {
		return nil, err
	}
	comparing, cancelComparing := context.WithTimeout(ctx, 20*time.Second)
	defer cancelComparing()
	h.sameRecommendations(comparing, facts)
	fmt.Printf("round %d: recovered in %.1f s; posted after %.1f s, replicas in sync %.1f s, settled %.1f s, verified %.1f s; %d facts, lost=%d twice=%d wrong=%d\n",
		number, recovered.Seconds(), posted.Seconds(), inSync.Seconds(), settled.Seconds(), time.Since(began).Seconds(), len(h.ledger.entries),
		h.counts[oracle.Lost], h.counts[oracle.Twice], h.counts[oracle.Wrong])
	return facts, nil
}

// underLoad carries the plan out while the load goes on, and returns how long the
// system took to recover.
func (h *harness) underLoad(ctx context.Context, number int, l *load, plan []disturbance) (recovered time.Duration, err error) {
	loading, endLoad := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { l.run(loading) })
	defer func() {
		endLoad()
		running.Wait()
	}()
	began := time.Now()
	from, err := h.disturb(ctx, plan)
	if err != nil {
		return 0, err
	}
	within, cancel := context.WithTimeout(ctx, recoverWithin)
	defer cancel()
	if err := h.probe(within, number); err != nil {
		return 0, err
	}
	recovered = time.Since(from)
	h.noteRecovery(plan, recovered)
	select {
	case <-time.After(time.Until(began.Add(roundLasts))):
	case <-ctx.Done():
	}
	if err := h.poison(number); err != nil {
		return 0, fmt.Errorf("post a poison record: %w", err)
	}
	return recovered, nil
}

// noteRecovery books the time under the disturbance that ended last; a kill only
// where it was the only one.
func (h *harness) noteRecovery(plan []disturbance, took time.Duration) {
	last := plan[0]
	for _, d := range plan {
		if d.after+d.lasts > last.after+last.lasts {
			last = d
		}
	}
	if len(plan) == 1 || last.kills == 0 {
		h.recoveries[last.kind] = append(h.recoveries[last.kind], took)
	}
	h.recoveries["all"] = append(h.recoveries["all"], took)
}
