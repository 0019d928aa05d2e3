package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"
)

// disturbance is something that is done to the system and undone.
type disturbance struct {
	kind  string // for the table of recoveries
	what  string
	after time.Duration // from the beginning of the round
	lasts time.Duration
	kills int
	begin func() error
	end   func() error
}

// plan chooses what a round does. The same seed and round give the same plan.
func (h *harness) plan(round int) []disturbance {
	if h.Outage > 0 {
		d := h.outage(time.Duration(h.Outage) * time.Minute)
		d.after = time.Second
		return []disturbance{d}
	}
	r := newRandom(h.Seed, 77_000+uint64(round))
	var list []disturbance
	for range 1 + r.IntN(3) {
		d := h.choose(r)
		d.after = time.Duration(500+r.IntN(4000)) * time.Millisecond
		taken := false
		for _, other := range list {
			taken = taken || strings.HasPrefix(other.what, d.what) || strings.HasPrefix(d.what, other.what) || isBroker(other) && isBroker(d)
		}
		if !taken {
			list = append(list, d)
		}
	}
	return list
}

// isBroker: only one broker is disturbed at a time, as two of three are no cluster.
func isBroker(d disturbance) bool {
	return d.kind == "broker killed" || d.kind == "broker paused" || d.kind == outage
}

const outage = "all brokers paused"

// outage pauses all of Kafka.
func (h *harness) outage(lasts time.Duration) disturbance {
	each := func(s syscall.Signal) func() error {
		return func() error {
			for _, b := range h.brokers {
				b.signal(s)
			}
			return nil
		}
	}
	return disturbance{kind: outage, what: "brokers", lasts: lasts, begin: each(syscall.SIGSTOP), end: each(syscall.SIGCONT)}
}

func (h *harness) choose(r *rand.Rand) disturbance {
	seconds := func(from, to int) time.Duration {
		return time.Duration(from*1000+r.IntN((to-from)*1000)) * time.Millisecond
	}
	p := h.processes[r.IntN(regulars)]
	b := r.IntN(brokers)
	broker := h.brokers[b]
	switch at := r.IntN(100); {
	case at < 25:
		return disturbance{kind: p.role + " killed", what: p.name, lasts: seconds(0, 2), kills: 1,
			begin: func() error { p.kill(); return nil }, end: p.run}
	case at < 35:
		return disturbance{kind: p.role + " paused", what: p.name, lasts: seconds(2, 14),
			begin: func() error { p.signal(syscall.SIGSTOP); return nil },
			end:   func() error { p.signal(syscall.SIGCONT); return nil }}
	case at < 43:
		return disturbance{kind: "clean restart", what: p.name, lasts: seconds(0, 1),
			begin: func() error {
				if !p.end() {
					h.wrong("%s did not end within %s of an interrupt", p.name, endWithin)
				}
				return nil
			}, end: p.run}
	case at < 52:
		return disturbance{kind: "broker killed", what: broker.name, lasts: seconds(1, 4), kills: 1,
			begin: func() error { broker.kill(); return nil }, end: broker.run}
	case at < 58:
		return disturbance{kind: "broker paused", what: broker.name, lasts: seconds(2, 12),
			begin: func() error { broker.signal(syscall.SIGSTOP); return nil },
			end:   func() error { broker.signal(syscall.SIGCONT); return nil }}
	case at < 60:
		return h.outage(seconds(3, 15))
	case at < 64:
		return disturbance{kind: "MySQL killed", what: "mysql", lasts: seconds(0, 2), kills: 1, begin: h.killMySQL, end: h.startMySQL}
	case at < 69:
		return disturbance{kind: "MySQL paused", what: "mysql", lasts: seconds(2, 10),
			begin: func() error { return h.signalMySQL(syscall.SIGSTOP) }, end: func() error { return h.signalMySQL(syscall.SIGCONT) }}
	case at < 77:
		joins := h.processes[regulars+r.IntN(len(h.processes)-regulars)]
		abrupt := r.IntN(2) == 0
		kills := 0
		if abrupt {
			kills = 1
		}
		return disturbance{kind: "joining and leaving", what: joins.name, lasts: seconds(2, 6), kills: kills, begin: joins.run,
			end: func() error {
				if abrupt {
					joins.kill()
				} else {
					joins.end()
				}
				return nil
			}}
	default:
		return h.chooseWire(r, p, b, seconds)
	}
}

// chooseWire disturbs the connections between two parts.
func (h *harness) chooseWire(r *rand.Rand, p *process, b int, seconds func(from, to int) time.Duration) disturbance {
	wire := p.name + ">"
	switch r.IntN(6) {
	case 0:
		wire = fmt.Sprintf("%s>broker-%d", p.name, b+1)
	case 1:
		wire = p.name + ">broker"
	case 2:
		wire = p.name + ">mysql"
	case 3:
		wire = fmt.Sprintf("brokers>broker-%d", b+1)
	case 4:
		wire = "clients>" + h.apis()[r.IntN(2)].name
	}
	switch r.IntN(3) {
	case 0:
		return disturbance{kind: "network cut", what: wire, lasts: seconds(1, 10),
			begin: func() error { return h.net.cut(wire) }, end: func() error { return h.net.restore(wire) }}
	case 1:
		return disturbance{kind: "network slow", what: wire, lasts: seconds(2, 8),
			begin: func() error { return h.net.delay(wire, 50+r.IntN(400)) }, end: func() error { return h.net.heal(wire) }}
	default:
		return disturbance{kind: "connections half open", what: wire, lasts: seconds(2, 12),
			begin: func() error { return h.net.half(wire) }, end: func() error { return h.net.heal(wire) }}
	}
}

// disturb carries a plan out, and returns the moment from which recovery counts: of
// the last kill, or the end of the last other disturbance.
func (h *harness) disturb(ctx context.Context, plan []disturbance) (from time.Time, err error) {
	type turn struct {
		at    time.Duration
		begin bool
		d     *disturbance
	}
	began := time.Now()
	open := map[*disturbance]bool{}
	for range 2 * len(plan) {
		var next *turn
		for i := range plan {
			d := &plan[i]
			if at, is := open[d]; !is {
				if next == nil || d.after < next.at {
					next = &turn{d.after, true, d}
				}
			} else if at && (next == nil || d.after+d.lasts < next.at) {
				next = &turn{d.after + d.lasts, false, d}
			}
		}
		select {
		case <-time.After(time.Until(began.Add(next.at))):
		case <-ctx.Done():
			return from, ctx.Err()
		}
		mark := h.marks.begin(next.d.kind+": "+next.d.what, next.begin)
		if next.begin {
			err = next.d.begin()
			open[next.d] = true
		} else {
			err = next.d.end()
			open[next.d] = false
		}
		if next.begin == (next.d.kills > 0) {
			from = mark
		}
		if err != nil {
			return from, fmt.Errorf("%s %s: %w", next.d.kind, next.d.what, err)
		}
		if next.begin {
			h.kills += next.d.kills
		}
	}
	return from, nil
}
