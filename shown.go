package tipoff

import "sync/atomic"

// ShownMinutes is for how many minutes, the present one among them, it is counted how
// often an event is shown.
const ShownMinutes = 10

// shown counts how often an event was shown, by minute: at the minute's number modulo
// the number of minutes stands the minute, above its count. Lookups count at once, and
// none waits for another.
type shown [ShownMinutes]atomic.Uint64

// Offer returns an event to be held for answers. One that takes the place of another
// goes on with its counts; nil: there was none.
func Offer(e *Event, former *Offered) *Offered {
	o := &Offered{Event: *e, shown: new(shown)}
	if former != nil && former.shown != nil {
		o.shown = former.shown
	}
	return o
}

// Show counts that the event was shown so many times in a minute since 1970. It is safe
// for concurrent use and allocates nothing.
func (o *Offered) Show(minute, times uint32) {
	if o.shown == nil {
		return
	}
	count := &o.shown[minute%ShownMinutes]
	for {
		switch was := count.Load(); {
		case uint32(was>>32) == minute:
			count.Add(uint64(times))
			return
		case uint32(was>>32) > minute: // by another's clock, or this one has gone back
			return
		case count.CompareAndSwap(was, uint64(minute)<<32|uint64(times)):
			return
		}
	}
}

// Shown is how often the event was shown in the minutes up to this one,
// [ShownMinutes] of them.
func (o *Offered) Shown(minute uint32) (times uint64) {
	if o.shown == nil {
		return 0
	}
	for i := range o.shown {
		was := o.shown[i].Load()
		if age := int64(minute) - int64(was>>32); age >= 0 && age < ShownMinutes {
			times += was & (1<<32 - 1)
		}
	}
	return times
}
