package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tipoff/topics"
)

func TestWindow_PassesOnlyTheContiguousFinishedPartOn(t *testing.T) {
	w := newWindow(5, maxUnfinished)
	for _, offset := range []int64{5, 6, 9, 10} { // offsets may have gaps
		if !w.deliver(offset) {
			t.Fatal("no room")
		}
	}
	for _, step := range []struct {
		finish, floor int64
		moved         bool
	}{{9, 5, false}, {6, 5, false}, {6, 5, false}, {4, 5, false}, {5, 10, true}, {5, 10, false}, {10, 11, true}} {
		if floor, moved := w.finish(step.finish); floor != step.floor || moved != step.moved {
			t.Errorf("finish %d: %d, %v, want %d, %v", step.finish, floor, moved, step.floor, step.moved)
		}
	}
	if !w.oldest().IsZero() {
		t.Error("something is unfinished")
	}
}

func TestWindow_PassesNothingOnThatIsHeldUntilItIsWritten(t *testing.T) {
	w := newWindow(0, maxUnfinished)
	for offset := range int64(9) {
		w.deliver(offset)
	}
	finish := func(offset, upTo int64, moved bool) {
		t.Helper()
		if got, is := w.finish(offset); got != upTo || is != moved {
			t.Errorf("finish %d: %d, %v, want %d, %v", offset, got, is, upTo, moved)
		}
	}
	finish(0, 1, true)
	w.hold("a", 1)
	w.hold("a", 2) // the first one counts
	w.hold("b", 3)
	finish(1, 1, false)
	finish(2, 1, false)
	finish(3, 1, false)
	w.settle("a", 5)
	w.hold("a", 6) // what comes while the write is under way waits for the next one
	finish(4, 1, false)
	finish(6, 1, false)
	finish(5, 3, true) // the write of a; b is held
	w.settle("b", 7)
	finish(7, 6, true)
	finish(8, 6, false)
	w.deliver(9)
	w.settle("a", 9)
	finish(9, 10, true)
	if len(w.holds) != 0 || len(w.records) != 0 {
		t.Errorf("holds %v, records %v are left", w.holds, w.records)
	}
}

// TestWindow_WhatIsHeldTakesNoRoom: a thousand records a second may be held for long.
func TestWindow_WhatIsHeldTakesNoRoom(t *testing.T) {
	w := newWindow(0, maxUnfinished)
	for offset := range int64(4 * maxUnfinished) {
		w.hold("a", offset)
		if w.deliver(offset); len(w.records) != 1 || len(w.holds) != 1 {
			t.Fatalf("%d records, %d holds", len(w.records), len(w.holds))
		}
		if upTo, moved := w.finish(offset); upTo != 0 || moved {
			t.Fatalf("%d is passed on", upTo)
		}
	}
}

func TestWindow_HoldsBackWhatIsTooFarAhead(t *testing.T) {
	w := newWindow(0, maxUnfinished)
	for offset := range int64(maxUnfinished) {
		w.deliver(offset)
	}
	room := make(chan bool)
	deliver := func() { room <- w.deliver(maxUnfinished) }
	go deliver()
	w.finish(1) // not the first one
	select {
	case <-room:
		t.Error("one too many was delivered")
	default:
	}
	w.finish(0)
	if !<-room {
		t.Error("the session has not ended")
	}
	for offset := range int64(1) {
		w.deliver(maxUnfinished + 1 + offset)
	}
	go deliver()
	w.end()
	if <-room {
		t.Error("delivered after the end")
	}
}

// marks is a session that keeps what was marked.
type marks struct {
	sarama.ConsumerGroupSession
	next []int64
}

func (m *marks) MarkOffset(_ string, _ int32, next int64, _ string) { m.next = append(m.next, next) }

type claim struct {
	sarama.ConsumerGroupClaim
	from int64
}

func (c claim) Topic() string        { return "t" }
func (c claim) Partition() int32     { return 0 }
func (c claim) InitialOffset() int64 { return c.from }

func TestSession_AnAcknowledgementAfterItsEndConcernsNoOther(t *testing.T) {
	var kept marks
	former, present := newWindows(), newWindows()
	former.open(claim{}).deliver(0)
	w := present.open(claim{})
	w.deliver(0)
	late := &watermarkedSession{&marks{}, former}
	now := &watermarkedSession{&kept, present}
	late.MarkOffset("t", 0, 1, "")
	if w.oldest().IsZero() {
		t.Error("the present session's record is finished")
	}
	now.MarkOffset("t", 0, 1, "")
	if fmt.Sprint(kept.next) != "[1]" {
		t.Errorf("marked %v", kept.next)
	}
}

// session is what [Owner.begin] asks of one.
type session struct {
	sarama.ConsumerGroupSession
	generation int32
}

func (s session) GenerationID() int32        { return s.generation }
func (s session) Claims() map[string][]int32 { return map[string][]int32{topics.Users: {0}} }

func TestOwner_EpochsGrowFromSessionToSession(t *testing.T) {
	o := connect(t, Config{Brokers: fake(t).ListenAddrs()}).NewOwner(TableValues{}, nil)
	o.group = topics.GroupBettors
	last := uint64(0)
	begin := func(generation int32, seen uint64) {
		t.Helper()
		if _, err := o.begin(session{generation: generation}); err != nil {
			t.Fatal(err)
		}
		s, _ := o.storage("", 0)
		s.(*handle).saw(max(seen, last))
		epoch := o.Epoch(0)
		if epoch <= last || epoch <= seen {
			t.Errorf("generation %d after %x, having seen %x: epoch %x", generation, last, seen, epoch)
		}
		last = epoch
	}
	begin(3, 0)
	begin(4, 0)
	begin(9, 7<<32|8)
	begin(1, 0) // the group was forgotten and counts again
	for generation := int32(2); generation < 14; generation++ {
		if _, err := o.begin(session{generation: generation}); err != nil { // keeps its storage, sees nothing new
			t.Fatal(err)
		}
		if epoch := o.Epoch(0); epoch <= last {
			t.Fatalf("generation %d: epoch %x after %x", generation, epoch, last)
		} else {
			last = epoch
		}
	}
	begin(13, 0) // the same member came back within the generation
}

func TestOwner_KeepsStorageOnlyWhereNobodyElseCanHaveWritten(t *testing.T) {
	o := connect(t, Config{Brokers: fake(t).ListenAddrs()}).NewOwner(TableValues{}, nil)
	o.group = topics.GroupBettors
	begin := func(generation int32) *memory {
		t.Helper()
		if _, err := o.begin(session{generation: generation}); err != nil {
			t.Fatal(err)
		}
		s, _ := o.storage("", 0)
		return s.(*handle).memory
	}
	first := begin(1)
	if begin(2) != first {
		t.Error("the next generation reads all again")
	}
	if second := begin(4); second == first {
		t.Error("kept although another generation lay between")
	} else if err := second.Set("k", []byte("v")); err != nil || begin(5) == second {
		t.Errorf("kept although a value is not on the changelog: %v", err)
	}
	third := begin(6)
	if err := third.Delete("k"); err != nil || begin(7) == third {
		t.Errorf("kept although a deletion may not be on the changelog: %v", err)
	}
}

// TestOwner_WritesATableAgainThatItsLogHasLost: what is in memory is all there is.
func TestOwner_WritesATableAgainThatItsLogHasLost(t *testing.T) {
	c := connect(t, Config{Brokers: fake(t).ListenAddrs()})
	for _, log := range []struct {
		written int
		want    int64
	}{{0, -1}, {3, 2}} {
		written, wantOffset := log.written, log.want
		var again []string
		o := c.NewOwner(TableValues{}, func(key string) { again = append(again, key) })
		o.group = topics.GroupBettors
		publishTo(t, topics.TableBettors, publisher(t, c, 5*time.Second), 0, written)
		begin := func(generation int32) storage.Storage {
			t.Helper()
			if _, err := o.begin(session{generation: generation}); err != nil {
				t.Fatal(err)
			}
			s, err := o.storage("", 0)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := begin(1)
		if err := errors.Join(s.Set("k", []byte("v")), s.SetOffset(7)); err != nil {
			t.Fatal(err)
		}
		s = begin(2)
		if offset, err := s.GetOffset(-1); offset != wantOffset || err != nil {
			t.Errorf("with %d values on the log, goka reads on from behind %d, want %d: %v", written, offset, wantOffset, err)
		}
		if err := s.MarkRecovered(); err != nil || !slices.Equal(again, []string{"k"}) {
			t.Errorf("with %d values on the log, %v are written again: %v", written, again, err)
		}
	}
}

// once is a graph that writes a key's first record and skips the others, as they are
// applied already.
func once() *goka.GroupGraph {
	return goka.DefineGroup(topics.GroupBettors, goka.Input(topics.Users, raw{}, func(ctx goka.Context, message any) {
		if ctx.Value() == nil {
			ctx.SetValue(message)
		}
	}), goka.Persist(raw{}))
}

// TestProcessor_AWriteThatFailsIsMadeAgain: later writes succeed, and are finished,
// before the session ends.
func TestProcessor_AWriteThatFailsIsMadeAgain(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub := publisher(t, c, 5*time.Second)
	var seen following
	view := c.NewView(topics.TableBettors, TableValues{}, seen.apply)
	p := c.NewProcessor(once(), owner(c))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = view.Run(ctx) })
	running.Go(func() { _ = p.Run(ctx) })
	eventually(t, func() error { return ready(p.State()) })
	for round := range 3 {
		fault := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topics.TableBettors, Err: kerr.UnknownServerError})
		for i := range 40 {
			list := []topics.Record{{Topic: topics.Users, Key: fmt.Sprintf("default/u%d-%d", round, i), Value: []byte("v"), Received: time.Now()}}
			if err := pub.Publish(t.Context(), list); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 40 {
			eventually(t, func() error { return seen.want(fmt.Sprintf("default/u%d-%d", round, i), "v") })
		}
		if fault.Hits() == 0 {
			t.Error("no write failed")
		}
	}
	cancel()
	running.Wait()
}

// TestProcessor_ASessionThatEndsInMidCallbackLosesNothing: what its callbacks write
// after the end, the next owner finds or writes itself.
func TestProcessor_ASessionThatEndsInMidCallbackLosesNothing(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub := publisher(t, c, 5*time.Second)
	var seen following
	view := c.NewView(topics.TableBettors, TableValues{}, seen.apply)
	began, gate := make(chan struct{}, 1000), make(chan struct{})
	held := goka.DefineGroup(topics.GroupBettors, goka.Input(topics.Users, raw{}, func(ctx goka.Context, message any) {
		before, _ := ctx.Value().([]byte)
		began <- struct{}{}
		<-gate
		if !strings.Contains(string(before), string(message.([]byte))) {
			before = append(before, message.([]byte)...)
		}
		ctx.SetValue(before)
	}), goka.Persist(raw{}))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = view.Run(ctx) })
	for _, part := range []string{"a", "b", "c"} {
		list := records(10)
		for i := range list {
			list[i].Value = []byte(part)
		}
		if err := pub.Publish(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	life, end := context.WithCancel(t.Context())
	first, second := c.NewProcessor(held, owner(c)), c.NewProcessor(held, owner(c))
	running.Go(func() { _ = first.Run(life) })
	<-began
	running.Go(func() { _ = second.Run(ctx) }) // a rebalance while callbacks run
	end()                                      // and the end of one
	close(gate)
	for i := range 10 {
		eventually(t, func() error { return seen.want(fmt.Sprintf("default/u%d", i), "abc") })
	}
	cancel()
	running.Wait()
}

// TestProcessor_ATopicMadeAnewIsANewSource: offsets begin at 0 again, and must not be
// taken for those of the former topic.
func TestProcessor_ATopicMadeAnewIsANewSource(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	o := owner(c)
	before := c.Source(topics.Users)
	if err := k.DeleteTopic(topics.Users); err != nil {
		t.Fatal(err)
	}
	if _, err := o.begin(session{generation: 1}); err == nil {
		t.Error("a session begins without one of the topics")
	}
	if err := k.CreateTopic(topics.Users, 2, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := o.begin(session{generation: 2}); err != nil || o.Source(topics.Users) == before {
		t.Errorf("the source is still %x, %v", before, err)
	}
}

// TestHandler_ASessionThatCannotBeginEnds: sarama cleans up after a setup that failed.
func TestHandler_ASessionThatCannotBeginEnds(t *testing.T) {
	k := fake(t)
	o := owner(connect(t, Config{Brokers: k.ListenAddrs()}))
	if err := k.DeleteTopic(topics.Users); err != nil {
		t.Fatal(err)
	}
	h := &watermarkedHandler{owner: o}
	if err := h.Setup(session{generation: 1}); err == nil {
		t.Error("a session begins without its topic")
	}
	if err := h.Cleanup(session{generation: 1}); err != nil {
		t.Error(err)
	}
}
