package broker

import (
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"

	"tipoff/topics"
)

// tableGap is how long after a value of a key was written the next one waits that may (see
// [topics.HeaderMayWait]): a hot key is written four times a second, however often it
// changes, and a quiet one at once.
const tableGap = 250 * time.Millisecond

// outgoing is a record on its way to a topic: a message, or a value of a table and all that
// it replaces.
type outgoing struct {
	topic, key string
	value      []byte // nil: the key is deleted
	headers    goka.Headers
	finishers  []goka.PromiseFinisher
}

// finish tells all who wait for the record, or for one that it has replaced, what became of it.
func (v *outgoing) finish(m *sarama.ProducerMessage, err error) {
	for _, finish := range v.finishers {
		finish(m, err)
	}
}

// replace takes over from the value that waited: who waits for that one waits for this one,
// whose age is that of the oldest change in it, and whose trace that of the oldest that is
// traced.
func (v *outgoing) replace(waiting *outgoing) {
	v.finishers = append(waiting.finishers, v.finishers...)
	for _, name := range []string{topics.HeaderReceived, topics.HeaderTrace} {
		if older, known := waiting.headers[name]; known {
			v.headers = v.headers.Merged(goka.Headers{name: older})
		}
	}
}

// pace decides when values of tables are written that may wait. It has no clock: it is told
// the time.
type pace struct {
	gap   time.Duration
	keys  map[tableKey]*outgoing // written within the gap; what waits, or nil
	turns []turn                 // of the same keys, the next one in front
}

type tableKey struct{ topic, key string }

// turn is when a key may be written again.
type turn struct {
	tableKey
	at time.Time
}

func newPace(gap time.Duration) *pace {
	return &pace{gap: gap, keys: map[tableKey]*outgoing{}}
}

// put returns true for a value that must be written now, as its key was not written within
// the gap. Any other waits, in place of the one of its key that waited.
func (p *pace) put(v *outgoing, now time.Time) bool {
	key := tableKey{v.topic, v.key}
	waiting, recent := p.keys[key]
	if !recent {
		p.written(key, now)
		return true
	}
	if waiting != nil {
		v.replace(waiting)
	}
	p.keys[key] = v
	return false
}

func (p *pace) written(key tableKey, now time.Time) {
	p.keys[key] = nil
	p.turns = append(p.turns, turn{key, now.Add(p.gap)})
}

// overtake lets a value that is written now replace the one of its key that waits.
func (p *pace) overtake(v *outgoing) {
	key := tableKey{v.topic, v.key}
	if waiting := p.keys[key]; waiting != nil {
		v.replace(waiting)
		p.keys[key] = nil
	}
}

// due returns the values whose turn it is, and forgets the keys of which none waits.
func (p *pace) due(now time.Time) (values []*outgoing) {
	passed := 0
	for passed < len(p.turns) && !p.turns[passed].at.After(now) {
		passed++
	}
	turns := p.turns[:passed]
	p.turns = p.turns[passed:]
	for _, t := range turns {
		if v := p.keys[t.tableKey]; v != nil {
			values = append(values, v)
			p.written(t.tableKey, now)
		} else {
			delete(p.keys, t.tableKey)
		}
	}
	return values
}

// all returns every value that waits, which does so no more.
func (p *pace) all() (values []*outgoing) {
	for key, v := range p.keys {
		if v != nil {
			values = append(values, v)
			p.keys[key] = nil
		}
	}
	return values
}

// coalescing is a processor's producer. Of the values of a key that wait it writes the newest
// alone: each promise is kept when a value at least as new is on the topic, and the
// values of a key stand there in their order. Messages that may wait for others it sends
// together with them.
type coalescing struct {
	gokaProducer
	now func() time.Time

	mu     sync.Mutex // also while records are handed on, for the order of a key's values
	pace   *pace
	timer  *time.Timer // calls turn when the next key may be written; nil: nothing has waited yet
	armed  bool
	parcel parcel
	sender *time.Timer // calls send when the parcel's messages have waited enough; nil: none has waited yet
	closed bool
}

func newCoalescing(p gokaProducer, tableGap, messageGap time.Duration) *coalescing {
	return &coalescing{gokaProducer: p, now: time.Now, pace: newPace(tableGap), parcel: parcel{gap: messageGap}}
}

func (c *coalescing) Emit(topic, key string, value []byte) *goka.Promise {
	return c.EmitWithHeaders(topic, key, value, nil)
}

// EmitWithHeaders writes at once what does not say that it may wait or be gathered.
func (c *coalescing) EmitWithHeaders(topic, key string, value []byte, headers goka.Headers) *goka.Promise {
	promise, finish := goka.NewPromiseWithFinisher()
	v := &outgoing{topic, key, value, headers, []goka.PromiseFinisher{finish}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, mayGather := headers[topics.HeaderMayGather]; mayGather && !c.closed {
		c.gather(v)
		return promise
	}
	if _, mayWait := headers[topics.HeaderMayWait]; !mayWait || c.closed {
		c.pace.overtake(v)
		c.write(v)
		return promise
	}
	now := c.now()
	if c.pace.put(v, now) {
		c.write(v)
	}
	c.arm(now)
	return promise
}

func (c *coalescing) write(v *outgoing) {
	c.produce(v.topic, v.key, v.value, v.headers, v.finish)
}

// gather sends a message with others: now, or when they have waited enough.
func (c *coalescing) gather(m *outgoing) {
	now := c.now()
	switch {
	case c.parcel.put(m, now):
		c.sendParcel(now)
	case len(c.parcel.messages) > 1: // the timer is set
	case c.sender == nil:
		c.sender = time.AfterFunc(c.parcel.left(now), c.send)
	default:
		c.sender.Reset(c.parcel.left(now))
	}
}

// send sends the messages that wait.
func (c *coalescing) send() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sendParcel(c.now())
}

func (c *coalescing) sendParcel(now time.Time) {
	messages := c.parcel.take(now)
	for _, m := range messages {
		c.write(m)
	}
	clear(messages)
}

// arm sets the timer for the next turn, with some more that come soon after.
func (c *coalescing) arm(now time.Time) {
	if c.armed || c.closed || len(c.pace.turns) == 0 {
		return
	}
	c.armed = true
	wait := max(c.pace.turns[0].at.Sub(now), c.pace.gap/10)
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, c.turn)
	} else {
		c.timer.Reset(wait)
	}
}

// turn writes what is due.
func (c *coalescing) turn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = false
	now := c.now()
	for _, v := range c.pace.due(now) {
		c.write(v)
	}
	c.arm(now)
}

// Close writes all that waits.
func (c *coalescing) Close() error {
	c.mu.Lock()
	c.closed = true
	for _, v := range c.pace.all() {
		c.write(v)
	}
	c.sendParcel(c.now())
	c.mu.Unlock()
	return c.gokaProducer.Close()
}
