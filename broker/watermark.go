package broker

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"tipoff/topics"
)

// maxUnfinished is how many records of one partition may be delivered to a
// processor and not finished. A bettor's state keeps that many coupons
// (state.MaxCoupons), so a coupon whose messages are not all acknowledged yet is
// always still there when its record is delivered again.
const maxUnfinished = 256

// maxLegs is the same of the topic of legs, whose table values wait for their turn
// ([tableGap]): 16,000 a second in each partition.
const maxLegs = 4096

func mostUnfinished(topic string) int {
	if strings.HasPrefix(topic, topics.Selections) { // of any table set
		return maxLegs
	}
	return maxUnfinished
}

// window follows the records of one partition of a topic through a session. goka
// marks each record when it is finished, in any order, and Kafka would commit the
// highest: the window passes on only the end of the contiguous finished part, so
// that what is not finished is delivered again.
type window struct {
	most    int // records at a time
	mu      sync.Mutex
	room    *sync.Cond
	records []record // delivered, and not finished or after one that is not, by offset
	floor   int64    // every record before it is finished
	holds   []hold
	passed  int64 // up to where records were passed on, to be committed
	ended   bool
}

type record struct {
	offset    int64
	delivered time.Time
	finished  bool
}

func newWindow(from int64, most int) *window {
	w := &window{most: most, floor: max(0, from), passed: max(0, from)}
	w.room = sync.NewCond(&w.mu)
	return w
}

// deliver notes that a record goes to the processor, once there is room. It
// returns false when the session has ended.
func (w *window) deliver(offset int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.records) >= w.most && !w.ended {
		w.room.Wait()
	}
	if w.ended {
		return false
	}
	if len(w.records) == 0 { // offsets may have gaps
		w.floor = offset
	}
	w.records = append(w.records, record{offset: offset, delivered: time.Now()})
	return true
}

// finish notes that a record is finished, and returns up to where records may be
// committed; moved is false where that is as before.
func (w *window) finish(offset int64) (upTo int64, moved bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, found := slices.BinarySearchFunc(w.records, offset, func(r record, offset int64) int { return int(r.offset - offset) })
	if !found {
		return w.passed, false
	}
	w.records[i].finished = true
	done := 0
	for done < len(w.records) && w.records[done].finished {
		done++
	}
	if done > 0 {
		w.floor = w.records[done-1].offset + 1
		w.records = w.records[done:]
		w.room.Broadcast()
	}
	upTo = w.release(offset)
	moved = upTo > w.passed
	w.passed = max(w.passed, upTo)
	return w.passed, moved
}

// end lets everyone go who waits for room.
func (w *window) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.room.Broadcast()
}

// oldest is when the oldest unfinished record was delivered; zero: there is none.
func (w *window) oldest() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.records) == 0 {
		return time.Time{}
	}
	return w.records[0].delivered
}

// windows are those of one session.
type windows struct {
	mu  sync.Mutex
	all map[claimed]*window
}

type claimed struct {
	topic     string
	partition int32
}

func newWindows() *windows { return &windows{all: map[claimed]*window{}} }

func (w *windows) open(claim sarama.ConsumerGroupClaim) *window {
	w.mu.Lock()
	defer w.mu.Unlock()
	opened := newWindow(claim.InitialOffset(), mostUnfinished(claim.Topic()))
	w.all[claimed{claim.Topic(), claim.Partition()}] = opened
	return opened
}

func (w *windows) of(topic string, partition int32) *window {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all[claimed{topic, partition}]
}

// end lets every claim go.
func (w *windows) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, each := range w.all {
		each.end()
	}
}

// oldest is when the oldest unfinished record of all was delivered; zero: there is
// none.
func (w *windows) oldest() (oldest time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, each := range w.all {
		if at := each.oldest(); !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return oldest
}

// watermarked is a consumer group as goka shall see it: it commits contiguous
// finished prefixes, and joins again at once when a rebalance ends its session,
// where goka itself would sleep for five seconds.
type watermarked struct {
	sarama.ConsumerGroup
	owner *Owner
}

func (g *watermarked) Consume(ctx context.Context, inputs []string, handler sarama.ConsumerGroupHandler) error {
	for ctx.Err() == nil {
		if err := g.ConsumerGroup.Consume(ctx, inputs, &watermarkedHandler{goka: handler, owner: g.owner}); err != nil {
			return err
		}
	}
	return nil
}

// watermarkedHandler puts the windows between a session and goka.
type watermarkedHandler struct {
	goka    sarama.ConsumerGroupHandler
	owner   *Owner
	session *watermarkedSession
}

func (h *watermarkedHandler) Setup(session sarama.ConsumerGroupSession) error {
	windows, err := h.owner.begin(session)
	if err != nil {
		return err
	}
	h.session = &watermarkedSession{ConsumerGroupSession: session, windows: windows}
	return h.goka.Setup(h.session)
}

func (h *watermarkedHandler) Cleanup(sarama.ConsumerGroupSession) error {
	if h.session == nil { // it never began
		return nil
	}
	h.session.windows.end()
	return h.goka.Cleanup(h.session)
}

func (h *watermarkedHandler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	if h.owner.refusal(claim.Partition()) != nil {
		<-session.Context().Done() // its records wait on the broker
		return nil
	}
	w := h.session.windows.open(claim)
	ctx, end := context.WithCancel(session.Context())
	messages := make(chan *sarama.ConsumerMessage, maxUnfinished)
	var forwarding sync.WaitGroup
	forwarding.Go(func() {
		defer close(messages)
		w.forward(ctx, claim.Messages(), messages)
	})
	err := h.goka.ConsumeClaim(h.session, &forwardedClaim{claim, messages})
	end() // goka may end by itself: the session ends with it, but after this
	w.end()
	forwarding.Wait()
	return err
}

// forward delivers messages until there are no more, or ctx ends.
func (w *window) forward(ctx context.Context, from <-chan *sarama.ConsumerMessage, to chan<- *sarama.ConsumerMessage) {
	last := int64(-1)
	for {
		var message *sarama.ConsumerMessage
		select {
		case message = <-from:
		case <-ctx.Done():
			return
		}
		if message == nil || message.Offset <= last { // the end, or the topic was created again
			return
		}
		last = message.Offset
		if !w.deliver(message.Offset) {
			return
		}
		select {
		case to <- message:
		case <-ctx.Done():
			return
		}
	}
}

type watermarkedSession struct {
	sarama.ConsumerGroupSession
	windows *windows
}

// MarkOffset is what goka calls when a record is finished, with the next offset. It
// concerns this session alone, also when it comes after its end.
func (s *watermarkedSession) MarkOffset(topic string, partition int32, next int64, metadata string) {
	if w := s.windows.of(topic, partition); w != nil {
		if floor, moved := w.finish(next - 1); moved {
			s.ConsumerGroupSession.MarkOffset(topic, partition, floor, metadata)
		}
	}
}
